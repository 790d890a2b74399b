//! Arithmetic, as jq defines it for every kind of value.

use std::collections::BTreeSet;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::sync::Arc;

use super::number::{self, Num};
use super::{Error, Str, Val, ValR};
use crate::meter;

fn cannot(verb: &str, left: &Val, joint: &str, right: &Val) -> Error {
    Error::str(format_args!("cannot {verb} {} {joint} {}", left.kind(), right.kind()))
}

impl Add for Val {
    type Output = ValR;

    fn add(self, right: Self) -> ValR {
        meter::step();
        match (self, right) {
            (Self::Null, val) | (val, Self::Null) => Ok(val),
            (Self::Num(left), Self::Num(right)) => Ok(Self::Num(number::calculate(left, right, Num::add))),
            (Self::Str(left), Self::Str(right)) => Ok(Self::Str(left.append(right.as_str()))),
            (Self::Arr(mut left), Self::Arr(right)) => {
                Arc::make_mut(&mut left).extend(right.items().iter().cloned());
                Ok(Self::Arr(left))
            }
            (Self::Obj(mut left), Self::Obj(right)) => {
                let members = right.iter().map(|(key, val)| (key.clone(), val.clone()));
                Arc::make_mut(&mut left).extend(members);
                Ok(Self::Obj(left))
            }
            (left, right) => Err(cannot("add", &left, "and", &right)),
        }
    }
}

impl Sub for Val {
    type Output = ValR;

    fn sub(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Num(left), Self::Num(right)) => Ok(Self::Num(number::calculate(left, right, Num::sub))),
            (Self::Arr(mut left), Self::Arr(right)) => {
                let without: BTreeSet<&Self> = right.items().iter().collect();
                Arc::make_mut(&mut left).retain(|item| !without.contains(item));
                Ok(Self::Arr(left))
            }
            (left, right) => Err(cannot("subtract", &right, "from", &left)),
        }
    }
}

impl Mul for Val {
    type Output = ValR;

    fn mul(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Num(left), Self::Num(right)) => Ok(Self::Num(number::calculate(left, right, Num::mul))),
            (Self::Str(text), Self::Num(times)) | (Self::Num(times), Self::Str(text)) => {
                let times = number::as_f64(&times);
                // The cast saturates: more than fits is refused as memory.
                if times > 0.0 { Ok(Self::Str(text.repeat(times.ceil() as usize))) } else { Ok(Self::Null) }
            }
            (Self::Obj(mut left), Self::Obj(right)) => {
                Arc::make_mut(&mut left).merge(&right);
                Ok(Self::Obj(left))
            }
            (left, right) => Err(cannot("multiply", &left, "and", &right)),
        }
    }
}

impl Div for Val {
    type Output = ValR;

    fn div(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Num(_), Self::Num(right)) if number::as_f64(&right) == 0.0 => {
                Err(Error::str("cannot divide by zero"))
            }
            (Self::Num(left), Self::Num(right)) => Ok(Self::Num(number::calculate(left, right, Num::div))),
            (Self::Str(text), Self::Str(separator)) => Ok(split(text.as_str(), separator.as_str())),
            (left, right) => Err(cannot("divide", &left, "by", &right)),
        }
    }
}

fn split(text: &str, separator: &str) -> Val {
    let part = |part: &str| Val::Str(Str::new(part));
    if text.is_empty() {
        return Val::from_iter([]);
    }
    if separator.is_empty() {
        return text.chars().map(|char| Val::Str(Str::new(char))).collect();
    }
    meter::steps(text.len() / 1_024);
    text.split(separator).map(part).collect()
}

impl Rem for Val {
    type Output = ValR;

    fn rem(self, right: Self) -> ValR {
        match (self, right) {
            (Self::Num(_), Self::Num(right)) if number::as_f64(&right) == 0.0 => {
                Err(Error::str("cannot divide by zero"))
            }
            (Self::Num(left), Self::Num(right)) => Ok(Self::Num(number::calculate(left, right, Num::rem))),
            (left, right) => Err(cannot("divide", &left, "by", &right)),
        }
    }
}

impl Neg for Val {
    type Output = ValR;

    fn neg(self) -> ValR {
        match self {
            Self::Num(num) => Ok(Self::Num(-num)),
            val => Err(Error::str(format_args!("cannot negate {}", val.kind()))),
        }
    }
}
