//! Points in time as the report writes them: RFC 3339, UTC, whole seconds. The only file that knows the time library,
//! beside `config.rs`, which reads the clock.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time, in whole seconds since 1970 UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Time(i64);

impl Time {
    /// From seconds since 1970 UTC, as file systems give it.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Reads RFC 3339 (`2026-03-24T10:39:00Z`) or a bare date (`2026-03-24`, midnight UTC).
    ///
    /// # Errors
    /// A sentence when the text is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(at.timestamp()));
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .and_then(|day| day.and_hms_opt(0, 0, 0))
            .map(|at| Self(at.and_utc().timestamp()))
            .ok_or_else(|| format!("`{text}` is neither a date (2026-03-24) nor an RFC 3339 time"))
    }

    /// Seconds since 1970 UTC.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0
    }

    /// The day alone, such as `2026-03-24`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().chars().take_while(|at| *at != 'T').collect()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp(self.0, 0) {
            Some(at) => out.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            // A damaged file system can carry a time that no calendar holds.
            None => write!(out, "{}s", self.0),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_and_written_in_utc() {
        let at = Time::parse("2026-03-24T12:39:00+02:00").unwrap();
        assert_eq!(at.to_string(), "2026-03-24T10:39:00Z");
        assert_eq!(at.day(), "2026-03-24");
        assert_eq!(Time::parse("2026-03-24").unwrap().to_string(), "2026-03-24T00:00:00Z");
        assert!(Time::parse("24.03.2026").is_err());
        assert_eq!(Time::from_unix(i64::MAX).to_string(), format!("{}s", i64::MAX));
    }
}
