//! Files of variables for everything that a manager of systemd starts (`environment.d(5)`, `systemd-system.conf(5)`). A row
//! says that there is one; variables that have code loaded or run have rows of their own, and no value is shown here.

use super::{Entry, is_void, place_of, push, unread};
use crate::extract::Extractor;
use crate::extract::input::Input;
use crate::model::facts::Harvest;
use crate::model::interest::{Ask, Interest};

/// The row.
pub const EXTRACTOR: Extractor = Extractor {
    interest: Interest {
        id: "autostart-environment",
        sentence: "Files of variables for everything that systemd starts. They are listed; what they set is for python-settings.",
        ask: Ask::Starts("environment"),
    },
    cap: 0,
    read,
};

fn read(input: &Input<'_>) -> Harvest {
    let mut harvest = Harvest::default();
    let Some(place) = place_of(input, "environment").filter(|_| !is_void(input)) else { return harvest };
    if let Some(content) = unread(input, &mut harvest) {
        let entry = Entry { trigger: b"every service".to_vec(), ..Entry::new(place.rule.kind, input.candidate.name) };
        push(input, &content, entry, &mut harvest);
    }
    harvest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::autostart::planted::Tree;
    use crate::model::host::Platform;

    #[test]
    fn files_are_listed_and_not_shown() {
        let text = b"TOKEN=hunter2\n".as_slice();
        for path in ["/home/mia/.config/environment.d/x.conf", "/etc/systemd/system.conf.d/x.conf"] {
            let tree = Tree::with(&[(path, text)]);
            let row = ["SystemdEnvironment x.conf | when every service"];
            assert_eq!(tree.told(&EXTRACTOR, Platform::Linux, path), row);
            assert!(tree.told(&EXTRACTOR, Platform::Macos, path).is_empty());
        }
    }
}
