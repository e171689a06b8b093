//! `pysweep plan`: what would be walked, what would be left out and why. Nothing of the target is listed or read beyond
//! what it takes to know whose system it is.

use super::{output, scan};
use crate::cli::ScanArgs;
use crate::config;
use crate::error::Error;
use crate::extract;
use crate::model::text::counted;
use crate::model::verdict::ExitCode;
use crate::report::sanitize::line;
use crate::survey::scope::Entry;

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
    lines.extend(extract::checks().map(|(id, sentence)| format!("check   {id}  {sentence}")));
    output::to_stdout(|out| lines.iter().try_for_each(|text| writeln!(out, "{}", line(text))))?;
    Ok(ExitCode::Clean)
}
