//! `pysweep plan`: what would be walked, what would be left out and why. Nothing of the target is listed or read beyond
//! what it takes to know whose system it is.

use super::{output, scan};
use crate::cli::ScanArgs;
use crate::config;
use crate::error::Error;
use crate::extract;
use crate::model::host::Platform;
use crate::model::interest::Ask;
use crate::model::text::counted;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;
use crate::survey::scope::Entry;
use crate::target::starts::StartPlaces;

/// Runs the command.
pub(super) fn run(args: ScanArgs) -> Result<ExitCode, Error> {
    let config = config::from_args(args).map_err(Error::Usage)?;
    let target = scan::open(&config)?;
    let scope = scan::walk_scope(&config, &target)?;
    let starts = scan::starts(&config, &target, &scope)?;
    let mut lines = vec![format!(
        "target  {}, {:?}, {}",
        config.root.display(),
        target.host.os,
        counted(target.accounts.len(), "account")
    )];
    lines.extend(starts.iter().map(|start| format!("walk    {}", start.to_text())));
    for (mount, entry) in scope.mounts() {
        let covered = starts.iter().any(|start| mount.path.is_under(start));
        let path = mount.path.to_text();
        lines.push(match entry {
            _ if !covered => continue,
            Entry::Walk => format!("walk    {path}  ({})", mount.fs_type),
            Entry::Skip(why) => format!("leave   {path}  {why}"),
            Entry::Miss(why) => format!("miss    {path}  {why}"),
        });
    }
    lines.extend(config.args.exclude.iter().map(|glob| format!("leave   {glob}  excluded by the user")));
    let places = StartPlaces::built_in();
    lines.extend(extract::checks().map(|(id, sentence)| {
        let places = places_of(id, &places, target.host.os);
        format!("check   {id}  {sentence}{}", places.map(|places| format!(" ({places})")).unwrap_or_default())
    }));
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{}", line(text))))?;
    Ok(ExitCode::Clean)
}

/// How many places a check looks at that start something by themselves; none for one that asks for other things.
fn places_of(check: &str, places: &StartPlaces, os: Platform) -> Option<String> {
    let row = extract::EXTRACTORS.iter().find(|row| row.interest.id == check)?;
    let Ask::Starts(family) = row.interest.ask else { return None };
    let rules = places.rules().iter().filter(|rule| rule.family.as_deref() == Some(family));
    Some(counted(rules.filter(|rule| rule.systems.contains(&os)).map(|rule| rule.paths.len()).sum(), "place"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_of_what_starts_tell_their_places() {
        let places = StartPlaces::built_in();
        let told = |check: &str, os| places_of(check, &places, os);
        assert_eq!(told("dist-info", Platform::Linux), None);
        assert_eq!(told("autostart-registry", Platform::Linux).as_deref(), Some("0 places"));
        let some = told("autostart-systemd", Platform::Linux).unwrap();
        assert!(some.split(' ').next().unwrap().parse::<usize>().unwrap() > 10, "{some}");
    }
}
