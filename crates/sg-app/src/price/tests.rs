//! Names, days, money and mistakes.

use super::*;

fn table(text: &str) -> PriceTable {
    PriceTable::parse(text).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn the_table_of_the_program_can_be_read() {
    let table = PriceTable::parse(BUILT_IN).unwrap();
    assert!(table.prices.len() > 20 && table.as_of.is_some());
    assert_eq!(PriceTable::built_in().prices, table.prices);
    let price = |model: &str| table.price(model, at("2026-06-01")).map(|price| (price.input, price.output));
    assert_eq!(price("claude-opus-4-6-20260101"), Some((5_000_000, 25_000_000)));
    assert_eq!(price("claude-opus-4-20250514"), Some((15_000_000, 75_000_000)));
    assert_eq!(price("gemini-2.5-flash-lite"), Some((100_000, 400_000)));
    // Of these nobody told us a price: the next of a family is not the one before.
    for unknown in ["claude-opus-4-9", "claude-opus-5", "gpt-5-pro", "gpt-5.9", "o3-pro", "gpt-4", "", "<synthetic>"] {
        assert_eq!(price(unknown), None, "{unknown}");
    }
    assert_eq!(table.price("o3", at("2025-06-09T23:59:59Z")).unwrap().input, 10_000_000);
    assert_eq!(table.price("o3", at("2025-06-10")).unwrap().input, 2_000_000);
}

#[test]
fn a_name_that_is_written_out_wins_then_the_longest() {
    let table = table(
        "[[price]]\nmodels = ['big*']\ninput = 1\noutput = 1\n\
         [[price]]\nmodels = ['big-model*', 'other']\ninput = 2\noutput = 1\n\
         [[price]]\nmodels = ['Big-Model-2']\ninput = 3\noutput = 1\n\
         [[price]]\nmodels = ['big-model-2-20260101']\ninput = 4\noutput = 1\n",
    );
    let price = |model: &str| table.price(model, at("2026-06-01")).map(|price| price.input / 1_000_000);
    for (model, wanted) in [
        ("big", Some(1)),
        ("bigger", Some(1)),
        ("big-model-9", Some(2)),
        ("big-model-2", Some(3)),
        ("provider/BIG-MODEL-2", Some(3)),
        ("big-model-2-20260202", Some(3)),
        ("big-model-2@20260202", Some(3)),
        ("big-model-2-latest", Some(3)),
        ("big-model-2-20260101", Some(4)),
        ("other", Some(2)),
        ("other-5", None),
        ("another", None),
        ("bi", None),
    ] {
        assert_eq!(price(model), wanted, "{model}");
    }
}

#[test]
fn a_price_holds_from_its_day_on() {
    let table = table(
        "[[price]]\nmodels = ['m']\nfrom = 2026-03-01\ninput = 2\noutput = 1\n\
         [[price]]\nmodels = ['m']\nfrom = 2026-01-01\ninput = 1\noutput = 1\n",
    );
    assert_eq!(table.instants(), [at("2026-01-01"), at("2026-03-01")]);
    let usage = TokenUsage { input: 1_000_000, ..TokenUsage::default() };
    let cost = |at: &str| table.cost(Some("m"), Timestamp::parse(at).unwrap(), &usage);
    assert_eq!(cost("2025-12-31T23:59:59Z"), Cost::unpriced(&usage));
    for (day, span) in [("2025-12-31", 0), ("2026-01-01", 1), ("2026-02-28T23:59:59.999999Z", 1), ("2026-03-01", 2)] {
        assert_eq!(table.cost_of_span(Some("m"), span, &usage), cost(day), "{day}");
    }
    assert_eq!(cost("2026-03-01").dollars().unwrap().to_string(), "2.00");
}

#[test]
fn money_is_exact() {
    let table = table("[[price]]\nmodels = ['m']\ninput = 0.000001\noutput = 0.1\ncache_write = 1000000\n");
    let cost = |usage: TokenUsage| table.cost(Some("m"), at("2026-01-01"), &usage).dollars().unwrap().to_string();
    assert_eq!(cost(TokenUsage::default()), "0.00");
    assert_eq!(cost(TokenUsage { input: 1, ..TokenUsage::default() }), "0.000000000001");
    assert_eq!(cost(TokenUsage { output: 3, ..TokenUsage::default() }), "0.0000003");
    assert_eq!(cost(TokenUsage { cache_read: 1_000_000, ..TokenUsage::default() }), "0.000001");
    let all = TokenUsage { cache_write: u64::MAX, ..TokenUsage::default() };
    assert_eq!(cost(all), "18446744073709551615.00");
    // A million of them is a million times one.
    let (mut sum, one) = (Cost::default(), TokenUsage { input: 7, output: 3, ..TokenUsage::default() });
    (0..1_000_000).for_each(|_| sum += table.cost(Some("m"), at("2026-01-01"), &one));
    let many = TokenUsage { input: 7_000_000, output: 3_000_000, ..TokenUsage::default() };
    assert_eq!(sum, table.cost(Some("m"), at("2026-01-01"), &many));
    // What has no price is told, and is not free.
    sum += table.cost(Some("x"), at("2026-01-01"), &one);
    sum += table.cost(None, at("2026-01-01"), &one);
    assert_eq!((sum.unpriced_tokens, sum.dollars().unwrap().to_string().as_str()), (20, "0.300007"));
    assert_eq!(table.cost(Some("x"), at("2026-01-01"), &one).dollars(), None);
}

#[test]
fn mistakes_are_told_with_their_line() {
    let good = "as_of = 2026-01-01\n\n[[price]]\nmodels = ['m']\ninput = 1\noutput = 2.5\n";
    assert!(PriceTable::parse(good).is_ok());
    assert!(PriceTable::parse("").is_ok());
    for (from, to, line, says) in [
        ("input = 1", "input = -1", 5, "at most 6 digits"),
        ("input = 1", "input = nan", 5, "at most 6 digits"),
        ("input = 1", "input = 1000001", 5, "a million"),
        ("input = 1", "input = 0.0000001", 5, "at most 6 digits"),
        ("input = 1", "input = \"1\"", 5, "dollars per million tokens"),
        ("input = 1", "inputs = 1", 5, "inputs"),
        ("input = 1\n", "", 3, "input"),
        ("models = ['m']", "models = ['m',\n'M']", 5, "already"),
        ("models = ['m']", "models = ['*']", 4, "no name"),
        ("models = ['m']", "models = 'm'", 4, "m"),
        ("2026-01-01", "2026-01-01T00:00:00Z", 1, "not a day"),
        ("2026-01-01", "'soon'", 1, "soon"),
        ("output = 2.5", "output = ", 6, ""),
    ] {
        let fault = PriceTable::parse(&good.replacen(from, to, 1)).unwrap_err();
        assert_eq!(fault.line, line, "{to}: {fault:?}");
        assert!(fault.message.contains(says) && !fault.message.contains('\n'), "{to}: {fault:?}");
    }
}
