use super::super::Scenario;
use super::*;

const SHIPPED: &str = include_str!("../../../../../scenarios/clusters.toml");
const SMALL: &str = "kind = \"clusters\"
[[content]]
name = \"a\"
[[content]]
name = \"b\"
worth = 1
[[profile]]
name = \"p\"
pull = [2, 1]
";

fn parse(text: &str) -> Result<Clusters, ScenarioError> {
    match Scenario::parse(text)? {
        Scenario::Clusters(c) => Ok(*c),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_shipped_scenario_is_valid() {
    let c = parse(SHIPPED).unwrap();
    assert_eq!(c.world.people.contents.len(), 4);
    assert_eq!(c.world.people.profiles.len(), 4);
    assert_eq!(c.steps(), 840);
    assert!(c.world.people.eta > 0.0);
    assert_eq!(c.phase.as_ref().unwrap().cells().count(), 15);
    assert!(c.clone().with_steps(70).is_ok());
    assert!(c.clone().with_people(40).is_ok());
    assert!(
        c.clone()
            .with_people(39)
            .unwrap_err()
            .contains("at least 40")
    );
    assert!(c.clone().with_steps(70_000).is_ok());
    assert!(
        c.clone()
            .with_steps(70_070)
            .unwrap_err()
            .contains("at most 1000 weeks")
    );
    assert!(c.with_steps(71).unwrap_err().contains("multiple of 70"));
}

#[test]
fn what_is_left_out_has_a_default() {
    let c = parse(SMALL).unwrap();
    assert_eq!(
        (c.people, c.world.weeks, c.world.day_steps),
        (10_000, 12, 10)
    );
    assert_eq!(c.world.stack.prior, [0.5, 0.5]);
    assert_eq!(c.world.people.contents[1].third_party, 1.0);
    assert_eq!(c.world.principal, Who::PersonNow);
}

#[test]
fn every_rule_and_principal_can_be_written() {
    for rule in [
        "none",
        "reinforce",
        "actor_critic",
        "ppo",
        "grpo",
        "epsilon_greedy",
        "ucb",
        "thompson",
        "best_of_n",
    ] {
        let text = format!("{SMALL}[learner]\nrule = \"{rule}\"\n");
        assert!(parse(&text).is_ok(), "{rule}");
    }
    for who in ["person_now", "person_reflecting", "rater"] {
        let text = SMALL.replace(
            "[[content]]\nname = \"a\"",
            &format!("principal = \"{who}\"\n[[content]]\nname = \"a\""),
        );
        assert_eq!(parse(&text).unwrap().world.principal.name(), who);
    }
    let text = SMALL.replacen(
        "[[content]]",
        "principal = \"deployer\"\n[deployer]\nvote = 2\n[[content]]",
        1,
    );
    let c = parse(&text).unwrap();
    assert!(matches!(c.world.principal, Who::Deployer(w) if w.vote == 2.0));
}

#[test]
fn errors_name_the_line_and_the_key() {
    let with = |text: &str| format!("{SMALL}{text}");
    // SMALL has 9 lines.
    for (text, line, part) in [
        ("kind = \"clusters\"".to_owned(), 1, "[[content]]"),
        (
            SMALL.replace("[2, 1]", "[2]"),
            9,
            "pull has 1 numbers, and must have 2",
        ),
        (SMALL.replace("[2, 1]", "[2, -1]"), 9, "pull has -1"),
        (SMALL.replace("[2, 1]", "[2, nan]"), 9, "pull has NaN"),
        (
            SMALL.replace("worth = 1", "wroth = 1"),
            6,
            "unknown field `wroth`",
        ),
        (SMALL.replace("worth = 1", "vote = 1.5"), 6, "vote is 1.5"),
        (
            SMALL.replace("name = \"p\"", "name = \"p\"\nshare = 0"),
            7,
            "share above 0",
        ),
        (
            with("[learner]\nrule = \"sgd\""),
            11,
            "must be one of none, reinforce",
        ),
        (
            with("[learner]\nrule = \"ucb\"\nalpha = 0.1"),
            12,
            "does not use the key alpha",
        ),
        (
            with("[learner]\nrule = \"reinforce\"\nalpha = -1"),
            12,
            "alpha is -1",
        ),
        (
            with("[learner]\nrule = \"reinforce\"\nbaseline = \"x\""),
            12,
            "baseline is",
        ),
        (
            with("[levers]\ntemperature = 0.5"),
            11,
            "temperature is 0.5",
        ),
        (with("[levers]\ndaily = 0"), 11, "daily is 0"),
        (
            with("[person]\nlambda = [0.9, 0.1]"),
            11,
            "lower to its upper",
        ),
        (with("[person]\neta = inf"), 11, "eta is inf"),
        (
            with("[[lens]]\nkind = \"x\"\nscores = [0, 0]"),
            11,
            "rlhf, prompt, retrieval",
        ),
        (with("[[lens]]\nkind = \"rlhf\""), 11, "needs scores"),
        (
            with("[[lens]]\nkind = \"retrieval\"\nkeep = 3"),
            12,
            "keep is 3",
        ),
        (
            with("[learner]\nrule = \"ucb\"\n[phase]\nalpha = [0.1]\neta = [0]"),
            12,
            "needs a learner with a step size",
        ),
        (with("[phase]\nalpha = [0.1]"), 10, "the key eta is missing"),
        (with("[phase]\nalpha = [0.1]\neta = [2]"), 12, "eta has 2"),
        (
            SMALL.replacen("[[content]]", "steps = 71\n[[content]]", 1),
            2,
            "multiple of 70",
        ),
        (
            SMALL.replacen("[[content]]", "principal = \"me\"\n[[content]]", 1),
            2,
            "principal is",
        ),
        (
            SMALL.replacen("[[content]]", "principal = \"deployer\"\n[[content]]", 1),
            2,
            "[deployer]",
        ),
        (
            SMALL.replacen("[[content]]", "prior = [0, 0]\n[[content]]", 1),
            2,
            "prior is 0",
        ),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.line, line, "{text}\n{error}");
        assert!(error.message.contains(part), "{error}");
    }
}
