//! Files that only name something of an incident: a host or text in a shell history or a pipeline, a commit in a checkout,
//! an image in an engine's store. Whoever looked into the incident leaves such names too, so they are leads.

use super::{Rule, Run, Scene, file, settle};
use crate::model::finding::{Finding, HookVerdict, Stage};
use crate::model::verdict::Level;

/// The rule.
pub const RULE: Rule = Rule {
    id: "reference-known-bad",
    sentence: "A file that names a host, text, commit, repository or image of a known incident: a shell history, a pipeline, a checkout, an engine's list of images. It is a lead at most: whoever looked into the incident leaves such names too.",
    run: Run::OnFacts(run),
};

fn run(scene: &Scene<'_>, _hooks: &[HookVerdict]) -> Vec<Finding> {
    file::hits(scene, true)
        .into_iter()
        .map(|(found, known, fit)| {
            let mut one = file::finding(scene, found, &known, fit);
            one.rule = RULE.id;
            one.id = file::id(RULE.id, found, &known.indicator.id);
            one.stage = Stage::Referenced;
            // A name is not the thing, whatever a pack makes of it.
            settle(&mut one, known.indicator.level.min(Level::Exposed), known.indicator.confidence);
            one
        })
        .collect()
}
