//! The examples in the documentation of rules are run: they are its proof.

pub mod table;

use std::sync::Arc;

use counterfoil::cleanse::{self, CleansingRule, Step};
use counterfoil::diagnostic::{Diagnostics, SourceFile};
use counterfoil::node::{self, Fields, Name, Node};
use counterfoil::rule::{Common, ProjectFiles, example_blocks};

use table::{parse_rows, print_rows};

/// Reads YAML that must be sound.
pub fn yaml(text: &str) -> Node {
    let file = Arc::new(SourceFile::new("example.yml", text));
    let mut out = Diagnostics::default();
    let node = node::parse(&file, &mut out);
    assert!(out.is_empty(), "{}", out.render(false));
    node.expect("a document")
}

/// Reads a step as a rule file has it; what is wrong comes second.
pub fn read_step(node: &Node) -> (Option<Box<dyn Step>>, Diagnostics) {
    let mut out = Diagnostics::default();
    let mut fields = Fields::new(node, "a step", &mut out).expect("names with values");
    let word = fields.take("step").and_then(|n| match &n.value {
        node::Value::Scalar { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let kind = cleanse::KINDS.iter().find(|k| Some(k.name) == word).expect("a known step");
    let common = Common::read(&mut fields, &mut out);
    let step = (kind.read)(&mut fields, &mut out);
    fields.finish(&mut out);
    (step.filter(|_| common.is_some()), out)
}

/// One example: what a rule file says, and blocks with a first word and the rest.
struct Example {
    rule: String,
    blocks: Vec<(String, String)>,
}

impl Example {
    fn block(&self, info: &str) -> Option<&str> {
        self.blocks.iter().find(|(i, _)| i == info).map(|(_, text)| text.as_str())
    }
}

/// Returns the examples of a documentation text: each begins with its rule.
fn examples(documentation: &str, family: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for (info, text) in example_blocks(documentation) {
        if info == format!("yaml {family}") {
            examples.push(Example { rule: text, blocks: Vec::new() });
        } else if let Some(example) = examples.last_mut() {
            example.blocks.push((info, text));
        }
    }
    examples
}

fn run_step_example(kind: &str, example: &Example) {
    let (step, mut out) = read_step(&yaml(&example.rule));
    assert!(out.is_empty(), "{kind}: {}", out.render(false));
    let step = step.expect("a step");

    let folder = tempfile::tempdir().expect("a folder");
    for (info, text) in &example.blocks {
        if let Some(name) = info.strip_prefix("csv ") {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
    }
    let files = ProjectFiles::new(folder.path());
    step.check(&files, &mut out);
    assert!(out.is_empty(), "{kind}: {}", out.render(false));

    let before = parse_rows(example.block("rows before").expect("an example has `rows before`"));
    let after = parse_rows(example.block("rows after").expect("an example has `rows after`"));
    let rule = CleansingRule { id: kind, step: step.as_ref(), condition: None };
    let done = cleanse::cleanse(&before, &[rule], &files).unwrap_or_else(|e| panic!("{kind}: {e}"));
    assert_eq!(print_rows(&done.frame), print_rows(&after), "{kind}");
    for (field, column) in done.frame.schema.fields.iter().zip(done.frame.df.columns()) {
        assert_eq!(
            column.dtype(),
            &counterfoil::frame::polars_type(&field.logical),
            "{kind}: {}",
            field.name
        );
    }

    let refused: Vec<String> = done
        .held_back
        .iter()
        .chain(&done.fatal)
        .map(|h| format!("row {}: {}", h.index + 1, h.reason))
        .collect();
    let wanted: Vec<&str> = example.block("refused").unwrap_or_default().lines().collect();
    assert_eq!(refused, wanted, "{kind}");
}

#[test]
fn every_example_of_a_step_holds() {
    for kind in cleanse::KINDS {
        let examples = examples(&kind.documentation(), "step");
        assert!(!examples.is_empty(), "step `{}` has no example", kind.name);
        for example in &examples {
            run_step_example(kind.name, example);
        }
    }
}

#[test]
fn steps_are_sorted_and_named_in_snake_case() {
    let names: Vec<&str> = cleanse::KINDS.iter().map(|k| k.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for name in names {
        let fine = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(fine && !name.starts_with('_') && !name.ends_with('_'), "{name}");
    }
}

#[test]
fn steps_say_in_their_first_line_what_they_do() {
    for kind in cleanse::KINDS {
        let documentation = kind.documentation();
        let mut lines = documentation.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.ends_with('.') && first.len() <= 110, "{}: {first}", kind.name);
        assert_eq!(lines.next(), Some(""), "{}", kind.name);
    }
}

/// Returns a rule without a name.
fn without(node: &Node, name: &str) -> Node {
    let node::Value::Map(entries) = &node.value else { panic!("a rule is names with values") };
    let kept: Vec<(Name, Node)> = entries.iter().filter(|(n, _)| n.text != name).cloned().collect();
    Node { span: node.span.clone(), value: node::Value::Map(kept) }
}

#[test]
fn parameters_are_documented_and_their_defaults_read() {
    for kind in cleanse::KINDS {
        let examples = examples(&kind.documentation(), "step");
        let rule = yaml(&examples[0].rule);
        for parameter in (kind.docs)() {
            let name = parameter.name;
            assert!(parameter.doc.ends_with('.') && parameter.doc.len() > 10, "{}.{name}", kind.name);
            let (step, out) = read_step(&without(&rule, name));
            let given = rule.get(name).or_else(|| rule.get(parameter.alias.unwrap_or(name)));
            if given.is_some() && parameter.required {
                let without_both = without(&without(&rule, name), parameter.alias.unwrap_or(name));
                assert!(read_step(&without_both).0.is_none(), "{}.{name} is required", kind.name);
            } else {
                assert!(step.is_some(), "{}.{name} may be left out: {}", kind.name, out.render(false));
            }
            if let Some(default) = parameter.default {
                let asked = format!("{name}: {default}\n");
                let node::Value::Map(mut entries) = without(&rule, name).value else { unreachable!() };
                let node::Value::Map(given) = yaml(&asked).value else { unreachable!() };
                entries.extend(given);
                let rule = Node { span: rule.span.clone(), value: node::Value::Map(entries) };
                let (step, out) = read_step(&rule);
                assert!(step.is_some(), "{}.{name}: {}", kind.name, out.render(false));
            }
        }
    }
}
