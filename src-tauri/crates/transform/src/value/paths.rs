//! Reaching into values: `.a`, `.[0]`, `.[]`, `.[1:3]`, and changing what is there.

use std::sync::Arc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::{Range, ValX};
use jaq_core::{Exn, ValT};

use super::number;
use super::{Error, Object, Str, Val, ValR};
use crate::{meter, write};

fn cannot_iterate(val: &Val) -> Error {
    Error::str(format_args!("cannot iterate over {}", val.kind()))
}

fn cannot_index(val: &Val, index: &Val) -> Error {
    match index {
        // The name is the program's, or data used as a name; cut so that it stays a name.
        Val::Str(name) => {
            let name: String = name.as_str().chars().take(60).collect();
            Error::str(format_args!("cannot index {} with \"{name}\"", val.kind()))
        }
        index => Error::str(format_args!("cannot index {} with {}", val.kind(), index.kind())),
    }
}

/// Walks the members of a shared container without copying it; every member is a step.
fn walk<T>(len: usize, at: impl FnMut(usize) -> Option<T>) -> impl ExactSizeIterator<Item = T> {
    struct Walk<F> {
        next: usize,
        len: usize,
        at: F,
    }
    impl<T, F: FnMut(usize) -> Option<T>> Iterator for Walk<F> {
        type Item = T;

        fn next(&mut self) -> Option<T> {
            meter::step();
            let index = self.next;
            if index >= self.len {
                return None;
            }
            self.next += 1;
            (self.at)(index)
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            let left = self.len - self.next;
            (left, Some(left))
        }
    }
    impl<T, F: FnMut(usize) -> Option<T>> ExactSizeIterator for Walk<F> {}
    Walk { next: 0, len, at }
}

/// An index from the front, or from the back where negative.
fn place(index: isize, len: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(index.unsigned_abs()),
    }
}

/// The bounds of a slice, kept inside `0..=len`, and never crossed.
fn bounds(range: Range<&Val>, len: usize) -> Result<(usize, usize), Error> {
    let bound = |val: Option<&Val>, default: usize, round_up: bool| match val {
        None | Some(Val::Null) => Ok(default),
        Some(Val::Num(num)) => {
            let float = number::as_f64(num);
            let float = if round_up { float.ceil() } else { float.floor() };
            let from_back = if float < 0.0 { float + len as f64 } else { float };
            Ok(from_back.clamp(0.0, len as f64) as usize)
        }
        Some(_) => Err(Error::str("the bounds of a slice must be numbers")),
    };
    let start = bound(range.start, 0, false)?;
    Ok((start, bound(range.end, len, true)?.max(start)))
}

/// The byte range of a slice that counts characters.
fn text_bounds(text: &str, range: Range<&Val>) -> Result<(usize, usize), Error> {
    meter::steps(text.len() / 1_024);
    let (start, end) = bounds(range, text.chars().count())?;
    let byte = |char| text.char_indices().nth(char).map_or(text.len(), |(byte, _)| byte);
    Ok((byte(start), byte(end)))
}

/// Where `part` starts in `items`. Empty: nowhere.
pub(crate) fn occurrences(items: &[Val], part: &[Val]) -> Val {
    let starts = items.windows(part.len().max(1)).enumerate();
    starts.filter(|(_, window)| !part.is_empty() && *window == part).map(|(at, _)| Val::int(at)).collect()
}

impl Val {
    /// `None` where there is nothing.
    pub(crate) fn lookup(&self, index: &Self) -> Result<Option<Self>, Error> {
        Ok(match (self, index) {
            (Self::Null, Self::Null | Self::Num(_) | Self::Str(_) | Self::Obj(_)) => None,
            (Self::Obj(object), Self::Str(name)) => object.get(name.as_str()).cloned(),
            (Self::Arr(array), Self::Num(num)) => number::as_index(num)
                .and_then(|index| place(index, array.items().len()))
                .and_then(|index| array.items().get(index).cloned()),
            (Self::Arr(array), Self::Arr(part)) => Some(occurrences(array.items(), part.items())),
            (Self::Arr(_) | Self::Str(_), Self::Obj(slice)) => {
                return self.clone().range(slice.get("start")..slice.get("end")).map(Some);
            }
            (val, index) => return Err(cannot_index(val, index)),
        })
    }
}

impl ValT for Val {
    fn from_num(text: &str) -> ValR {
        Ok(Self::Num(number::from_program(text)))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(members: I) -> ValR {
        let mut object = Object::new();
        for (key, val) in members {
            match key {
                Self::Str(key) => object.insert(key, val),
                key => {
                    return Err(Error::str(format_args!(
                        "the name of an object's member must be a string, not {}",
                        key.kind()
                    )));
                }
            };
        }
        Ok(object.into_val())
    }

    fn key_values(self) -> BoxIter<'static, Result<(Self, Self), Error>> {
        match self {
            Self::Arr(array) => Box::new(walk(array.items().len(), move |index| {
                array.items().get(index).map(|item| Ok((Self::int(index), item.clone())))
            })),
            Self::Obj(object) => Box::new(walk(object.len(), move |index| {
                object.at(index).map(|(key, val)| Ok((Self::Str(key.clone()), val.clone())))
            })),
            val => box_once(Err(cannot_iterate(&val))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR>> {
        match self {
            Self::Arr(array) => {
                Box::new(walk(array.items().len(), move |index| array.items().get(index).cloned().map(Ok)))
            }
            Self::Obj(object) => {
                Box::new(walk(object.len(), move |index| object.at(index).map(|(_, val)| Ok(val.clone()))))
            }
            val => box_once(Err(cannot_iterate(&val))),
        }
    }

    fn index(self, index: &Self) -> ValR {
        Ok(self.lookup(index)?.unwrap_or_default())
    }

    fn range(self, range: Range<&Self>) -> ValR {
        match self {
            Self::Null => Ok(Self::Null),
            Self::Arr(array) => {
                let (start, end) = bounds(range, array.items().len())?;
                Ok(array.items().get(start..end).unwrap_or_default().iter().cloned().collect())
            }
            Self::Str(text) => {
                let (start, end) = text_bounds(text.as_str(), range)?;
                Ok(Self::from(text.as_str().get(start..end).unwrap_or_default()))
            }
            val => Err(Error::str(format_args!("cannot slice {}", val.kind()))),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a, Self> {
        match self {
            Self::Arr(array) => {
                let items: Vec<Self> = match Arc::try_unwrap(array) {
                    Ok(array) => array.into_items(),
                    Err(shared) => shared.items().to_vec(),
                };
                items.into_iter().flat_map(f).collect()
            }
            Self::Obj(shared) => {
                let mut object = Object::new();
                for (key, val) in shared.iter() {
                    if let Some(val) = f(val.clone()).next() {
                        object.insert(key.clone(), val?);
                    }
                }
                Ok(object.into_val())
            }
            val => opt.fail(val, |val| Exn::from(cannot_iterate(&val))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match (self, index) {
            (val @ (Self::Str(_) | Self::Arr(_)), Self::Obj(slice)) => {
                val.map_range(slice.get("start")..slice.get("end"), opt, f)
            }
            (Self::Null, Self::Str(_)) => Object::new().into_val().map_index(index, opt, f),
            (Self::Null, Self::Num(_)) => Self::from_iter([]).map_index(index, opt, f),
            (Self::Obj(mut shared), Self::Str(name)) => {
                let object = Arc::make_mut(&mut shared);
                let before = object.take(name.as_str());
                let there = before.is_some();
                match f(before.unwrap_or_default()).next().transpose()? {
                    Some(val) => {
                        object.insert(name.clone(), val);
                        object.check();
                    }
                    None if there => object.remove(name.as_str()),
                    None => {}
                }
                Ok(Self::Obj(shared))
            }
            (Self::Arr(mut shared), Self::Num(num)) => {
                let array = Arc::make_mut(&mut shared);
                let len = array.items().len();
                let Some(place) = number::as_index(num).and_then(|index| place(index, len)) else {
                    return opt.fail(Self::Arr(shared), |_| {
                        Exn::from(Error::str("the index is before the start of the array"))
                    });
                };
                let there = place < len;
                match f(array.take(place)).next().transpose()? {
                    Some(val) => {
                        array.fill_to(place);
                        array.put(place, val);
                    }
                    None if there => array.remove(place),
                    None => {}
                }
                Ok(Self::Arr(shared))
            }
            (val, index) => {
                let error = cannot_index(&val, index);
                opt.fail(val, |_| Exn::from(error))
            }
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let (head, part, tail) = match &self {
            Self::Arr(array) => match bounds(range, array.items().len()) {
                Ok((start, end)) => {
                    let cut = |items: Option<&[Self]>| items.unwrap_or_default().iter().cloned().collect::<Self>();
                    let items = array.items();
                    (cut(items.get(..start)), cut(items.get(start..end)), cut(items.get(end..)))
                }
                Err(error) => return opt.fail(self, |_| Exn::from(error)),
            },
            Self::Str(text) => match text_bounds(text.as_str(), range) {
                Ok((start, end)) => {
                    let text = text.as_str();
                    let cut = |part: Option<&str>| Self::from(part.unwrap_or_default());
                    (cut(text.get(..start)), cut(text.get(start..end)), cut(text.get(end..)))
                }
                Err(error) => return opt.fail(self, |_| Exn::from(error)),
            },
            val => {
                let error = Error::str(format_args!("cannot slice {}", val.kind()));
                return opt.fail(self, |_| Exn::from(error));
            }
        };
        let part = f(part).next().transpose()?.unwrap_or_default();
        let joined = (head + part).and_then(|joined| joined + tail);
        joined.map_err(Exn::from)
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// Used by `"\(…)"` and `tostring`.
    fn into_string(self) -> Self {
        match self {
            Self::Str(_) => self,
            val => Self::Str(val.to_json_text()),
        }
    }
}

impl Val {
    /// The value as JSON text, as part of a run: what does not fit ends the run. NaN and infinite numbers become
    /// null and the largest numbers, as in jq.
    pub(crate) fn to_json_text(&self) -> Str {
        match write::to_text(self, meter::text_limit()) {
            Some(text) => Str::new(text),
            None => meter::too_much_memory(),
        }
    }
}
