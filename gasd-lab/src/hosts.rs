// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who has a simulated port open. The lab has it open itself all the time, so that the kernel does not tell when the last
//! host is gone; its file is watched for that.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};

/// Hosts that have a port open.
pub(crate) struct Hosts {
    watch: OwnedFd,
    /// What is told of the port itself.
    own: i32,
    open: usize,
}

impl Hosts {
    /// From now on; whoever has it open already is no host.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let watch = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let flags = WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
        // Two that are alike, one behind the other, are told as one (inotify(7)). Told of the directory as well, no two
        // behind each other are alike.
        if let Some(directory) = path.parent() {
            add_watch(&watch, directory, flags)?;
        }
        let own = add_watch(&watch, path, flags)?;
        Ok(Self { watch, own, open: 0 })
    }

    /// Takes in who came and went. Whether some were there, and none is any more.
    pub(crate) fn left(&mut self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut events = Reader::new(&self.watch, &mut buffer);
        let mut gone = false;
        // It ends with an error when there is no more.
        while let Ok(event) = events.next() {
            if event.wd() != self.own {
                continue;
            }
            let what = event.events();
            if what.contains(ReadFlags::OPEN) {
                self.open = self.open.saturating_add(1);
            } else if what.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE) {
                self.open = self.open.saturating_sub(1);
                gone = true;
            }
        }
        gone && self.open == 0
    }
}

impl AsFd for Hosts {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}
