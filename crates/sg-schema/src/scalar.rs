//! Scalars, and numbers that must not wrap.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use sg_app::Dollars;
use sg_domain::Timestamp;

/// A time in UTC as RFC 3339 text, for example `2026-01-16T16:46:41.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateTime(pub(crate) Timestamp);

/// A time in UTC as RFC 3339 text, for example `2026-01-16T16:46:41.000Z`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                Timestamp::parse(text).map(Self).ok_or_else(|| InputValueError::custom("not an RFC 3339 time"))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A whole number of up to 64 bits, written as a JSON number: sums of sizes and tokens that may pass 2^31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BigInt(pub(crate) u64);

/// A whole number of up to 64 bits, written as a JSON number: sums of sizes and tokens that may pass 2^31.
#[Scalar]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => {
                number.as_u64().map(Self).ok_or_else(|| InputValueError::custom("not a whole number of 64 bits"))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

/// An exact decimal number as text, for example `12.3456`: money, which a floating-point number would round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal(pub(crate) Dollars);

/// An exact decimal number as text, for example `12.3456`: money, which a floating-point number would round.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        // No argument takes one.
        Err(InputValueError::expected_type(value))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A count as GraphQL's `Int`. Counts and the sizes of one session stay far below 2^31; whatever does not is held there
/// instead of wrapping.
pub(crate) fn int(value: u64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_wrap() {
        assert_eq!(int(7), 7);
        assert_eq!(int(1 << 31), i32::MAX);
        assert_eq!(int(u64::MAX), i32::MAX);
        assert_eq!(BigInt(u64::MAX).to_value().to_string(), u64::MAX.to_string());
    }
}
