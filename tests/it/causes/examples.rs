//! The examples in the documentation of causes are run, and the lines that would settle cells are applied.

use counterfoil::node::Node;
use counterfoil::reconcile::cause::CAUSES;
use counterfoil::rule::example_blocks;

use super::pair::compared;
use crate::examples::table::parse_rows;
use crate::examples::yaml;

/// Blocks with a first word and the rest, from one `rows expected` to the next.
type Example = Vec<(String, String)>;

fn examples(documentation: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for block in example_blocks(documentation) {
        if block.0 == "rows expected" {
            examples.push(Vec::new());
        }
        examples.last_mut().expect("an example begins with `rows expected`").push(block);
    }
    examples
}

fn block<'e>(example: &'e Example, info: &str) -> Option<&'e str> {
    example.iter().find(|(own, _)| own == info).map(|(_, text)| text.as_str())
}

fn nothing() -> Node {
    yaml("columns: {}\n")
}

#[test]
fn every_example_of_a_cause_holds() {
    let mut wrong = String::new();
    for kind in CAUSES {
        let examples = examples(&kind.documentation());
        assert!(!examples.is_empty(), "cause `{}` has no example", kind.name);
        let mut named = false;
        for example in &examples {
            let expected = parse_rows(block(example, "rows expected").expect("`rows expected`"));
            let target = parse_rows(block(example, "rows target").expect("`rows target`"));
            let rules = block(example, "yaml reconcile").map_or_else(nothing, yaml);
            let pair = compared(&expected, &target, Some(&rules));
            let found: String = pair
                .causes()
                .iter()
                .map(|((column, row), cause)| format!("row {}: {column}: {cause}\n", row + 1))
                .collect();
            let mut wanted: Vec<&str> =
                block(example, "causes").expect("an example has `causes`").lines().collect();
            let mut lines: Vec<&str> = found.lines().collect();
            wanted.sort_unstable();
            lines.sort_unstable();
            if lines != wanted {
                wrong.push_str(&format!("{}: {lines:#?}, wanted {wanted:#?}\n", kind.name));
            }
            named |= lines.iter().any(|line| line.ends_with(&format!(": {}", kind.name)));
            let mut settles = String::new();
            for (column, cause, remedy) in pair.remedies() {
                pair.apply(&rules, &column, &cause, &remedy);
                if cause == kind.name {
                    settles.push_str(&remedy.yaml(&column));
                }
                assert!(!remedy.gives_up.is_empty(), "{cause}");
            }
            let lines = block(example, "yaml settles").unwrap_or_default();
            if settles != lines {
                wrong.push_str(&format!("{}: settled by\n{settles}wanted\n{lines}", kind.name));
            }
        }
        assert!(named, "no example of `{}` has it alone", kind.name);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn causes_say_in_their_first_line_what_they_are() {
    for kind in CAUSES {
        let documentation = kind.documentation();
        let mut lines = documentation.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.ends_with('.') && first.len() <= 110, "{}: {first}", kind.name);
        assert_eq!(lines.next(), Some(""), "{}", kind.name);
    }
}
