//! Pipelines and recipes of images in checkouts: the packages that they install each time they are run, on machines that
//! are gone by the time somebody asks. A file for CI services (their own documentation of where it lies), Dockerfiles and
//! Containerfiles.
//!
//! Only lines about packages that some pack names are kept, and only of files in a checkout: elsewhere they are templates.

mod commands;
mod install;

use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::install::{Install, SaidBy, Wanted};
use crate::model::interest::{Ask, Interest, NamePattern};
use crate::model::path::TargetPath;
use crate::model::text::Excerpt;

pub use install::{Installs, Named, parse};

/// The row for CI services.
pub const PIPELINES: Extractor = Extractor {
    interest: Interest {
        id: "pipelines",
        sentence: "What the pipelines of checkouts install.",
        ask: Ask::Paths(&[&[
            ".github/workflows/*",
            ".forgejo/workflows/*",
            ".gitea/workflows/*",
            ".gitlab/ci/*",
            ".circleci/*",
            ".buildkite/*",
            ".woodpecker/*",
            ".gitlab-ci.yml",
            ".gitlab-ci.yaml",
            ".travis.yml",
            ".drone.yml",
            ".cirrus.yml",
            ".woodpecker.yml",
            "Jenkinsfile",
            "azure-pipelines.yml",
            "azure-pipelines.yaml",
            "bitbucket-pipelines.yml",
            "appveyor.yml",
            ".appveyor.yml",
            "buildspec.yml",
            "buildspec.yaml",
            "cloudbuild.yaml",
            "cloudbuild.yml",
            "action.yml",
            "action.yaml",
        ]]),
    },
    cap: 1 << 20,
    read,
};

/// The row for recipes of images.
pub const RECIPES: Extractor = Extractor {
    interest: Interest {
        id: "image-recipes",
        sentence: "What the Dockerfiles and Containerfiles of checkouts install.",
        ask: Ask::FileNames(&[
            NamePattern::Prefix("Dockerfile"),
            NamePattern::Suffix(".dockerfile"),
            NamePattern::Prefix("Containerfile"),
        ]),
    },
    cap: 1 << 20,
    read,
};

/// How deep in a checkout a file may lie.
const DEEPEST: usize = 64;

/// Most lines that are kept of one file.
const MOST: usize = 1000;

fn read(input: &Input<'_>) -> Harvest {
    let content = match input.open_candidate().and_then(|file| input.read_open(file, input.cap)) {
        Ok(content) => content,
        Err(why) => return Harvest::missed(input.gap(why)),
    };
    let mut harvest = Harvest::default();
    if !content.whole {
        harvest.gaps.push(input.gap(GapReason::TooLarge).because("what stands beyond 1 MiB was not read"));
    }
    let Installs { all: found, is_cut } = parse(&content.bytes);
    if is_cut {
        let says =
            "a command is longer than 64 KiB, or there are more than ten thousand; what lies beyond was not read";
        harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
    }
    let is_watched = |named: &Named| match named {
        Named::Package { normalized, .. } => input.watch.packages.contains(normalized),
        Named::File(_) => true,
    };
    let mut found: Vec<_> = found.into_iter().filter(|one| is_watched(&one.named)).collect();
    let Some(top) = (!found.is_empty()).then(|| checkout(input)).flatten() else { return harvest };
    if found.len() > MOST {
        found.truncate(MOST);
        let says = format!("only the first {MOST} installs that it names were kept");
        harvest.gaps.push(input.gap(GapReason::TooLarge).because(says));
    }
    for one in found {
        let places = match one.named {
            Named::Package { normalized, specifier } => vec![Wanted::Package { normalized, specifier }],
            Named::File(file) => places(&input.folder(), &top, &file).into_iter().map(Wanted::File).collect(),
        };
        harvest.facts.installs.extend(places.into_iter().map(|wants| Install {
            path: input.candidate.path.clone(),
            line: one.line,
            said_by: SaidBy::Command,
            modified: Some(content.stat.modified),
            wants,
            excerpt: Excerpt::part(&one.text, one.place.clone()),
        }));
    }
    harvest
}

/// The top of the checkout that the candidate lies in: the nearest folder above it with a `.git`.
fn checkout(input: &Input<'_>) -> Option<TargetPath> {
    let mut folder = Some(input.folder());
    for _ in 0..DEEPEST {
        let here = folder?;
        if input.target.root.resolve(&here.join(b".git")).is_ok() {
            return Some(here);
        }
        folder = here.parent();
    }
    None
}

/// Where a requirements file that a line names may lie. Pipelines run at the top of the checkout; a recipe names the place
/// in the image, to which the file was copied from beside the recipe.
fn places(folder: &TargetPath, top: &TargetPath, file: &str) -> Vec<TargetPath> {
    let parts: Vec<&str> = file.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
    // What climbs out of the checkout is none of its files.
    let step = |at: TargetPath, part: &str| match part {
        ".." if at == *top => at,
        ".." => at.parent().unwrap_or(at),
        _ => at.join(part.as_bytes()),
    };
    let below = |from: &TargetPath, parts: &[&str]| parts.iter().fold(from.clone(), |at, part| step(at, part));
    let last = parts.last().map(std::slice::from_ref).unwrap_or_default();
    let mut all = vec![below(top, &parts), below(folder, &parts), below(folder, last)];
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_lie_at_the_top_or_beside() {
        let [folder, top] = [b"/w/app/docker".as_slice(), b"/w/app"].map(TargetPath::new);
        let shown = |file: &str| -> Vec<String> {
            places(&folder, &top, file).iter().map(|path| path.to_text().into_owned()).collect()
        };
        assert_eq!(shown("requirements.txt"), ["/w/app/docker/requirements.txt", "/w/app/requirements.txt"]);
        assert_eq!(
            shown("/srv/req/dev.txt"),
            ["/w/app/docker/dev.txt", "/w/app/docker/srv/req/dev.txt", "/w/app/srv/req/dev.txt"]
        );
        assert_eq!(shown("../requirements.txt"), ["/w/app/docker/requirements.txt", "/w/app/requirements.txt"]);
        assert!(shown("../../etc/passwd").iter().all(|path| path.starts_with("/w/app/")));
    }
}
