//! What every store must do, asked only through the traits. Another store joins by opening itself in `support`.

mod attempts;
mod discards;
mod intake;
mod lists;
mod order;
mod random_walk;
mod replays;
mod sqlite;
mod steps_later;
mod support;
