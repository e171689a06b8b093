//! The repositories of submodules, which lie in that of the whole, in `modules`, under names of one part or several, and in
//! each other (gitrepository-layout(5)).

use super::{Repository, is_repository};
use crate::model::coverage::GapReason;
use crate::model::facts::Harvest;
use crate::model::interest::EntryKind;

/// Most folders of submodules that are looked into, and how deep they may lie.
const MOST: usize = 200;
const DEEPEST: usize = 8;

impl Repository<'_> {
    /// Reads the logs and the commits of all submodules.
    pub(super) fn read_submodules(&self, harvest: &mut Harvest) {
        let mut left = MOST;
        self.read_modules(DEEPEST, &mut left, harvest);
        if left == 0 {
            let says = format!("at most {MOST} folders of its submodules were looked into, {DEEPEST} deep");
            harvest.gaps.push(self.input.gap(GapReason::TooLarge).because(says));
        }
    }

    fn read_modules(&self, depth: usize, left: &mut usize, harvest: &mut Harvest) {
        let path = self.path.join(b"modules");
        match self.dir.open_dir(b"modules") {
            Ok(dir) => {
                self.read_modules_in(&Self { input: self.input, dir, top: path.clone(), path }, depth, left, harvest)
            }
            Err(GapReason::Missing) => {}
            Err(why) => harvest.gaps.push(self.input.gap_at(path, why)),
        }
    }

    fn read_modules_in(&self, folder: &Self, depth: usize, left: &mut usize, harvest: &mut Harvest) {
        let mut names = Vec::new();
        let listed = folder.dir.list(|name, kind| {
            // Those of such a name are found as every bare repository is.
            if kind == EntryKind::Dir && names.len() < MOST && !name.ends_with(b".git") {
                names.push(name.to_vec());
            }
        });
        if let Err(why) = listed {
            harvest.gaps.push(self.input.gap_at(folder.path.clone(), why));
        }
        names.sort_unstable();
        for name in names {
            let path = folder.path.join(&name);
            if depth == 0 || *left == 0 {
                *left = 0;
                return;
            }
            *left -= 1;
            let dir = match folder.dir.open_dir(&name) {
                Ok(dir) => dir,
                Err(why) => {
                    harvest.gaps.push(self.input.gap_at(path, why));
                    continue;
                }
            };
            // Where its work tree lies is not asked: it is taken for a bare one.
            let below = Self { input: self.input, dir, top: path.clone(), path };
            if is_repository(&below.dir) {
                below.read_logs(harvest);
                below.read_tips(harvest);
                below.read_modules(depth - 1, left, harvest);
            } else {
                self.read_modules_in(&below, depth - 1, left, harvest);
            }
        }
    }
}
