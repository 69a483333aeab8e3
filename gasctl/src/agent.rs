// SPDX-License-Identifier: MIT OR Apache-2.0
//! polkit asks for passwords through an agent. A desktop brings one; a terminal over the network has none,
//! so gasctl starts polkit's own for the one call that needs it, as systemctl does.

use std::io::{IsTerminal, PipeReader, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gasd_proxy::ClientError;

use crate::output::Output;

/// The agent for terminals.
const AGENT: &str = "pkttyagent";
/// How long it may take to register, ms.
const REGISTERS_MS: i32 = 5_000;

/// Calls, and where polkit wants a password and a person is there, once more with an agent. The call comes
/// first: who needs no password is not kept waiting, least of all for closing a valve.
///
/// # Errors
/// What the last call says.
pub async fn with_password<T>(
    out: &Output,
    call: impl AsyncFn() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let first = call().await;
    if !matches!(&first, Err(ClientError::PasswordWanted(_))) {
        return first;
    }
    let person = !out.json && std::io::stdin().is_terminal();
    let agent = if person { program() } else { None };
    again(first, agent.as_deref(), call).await
}

async fn again<T>(
    first: Result<T, ClientError>,
    agent: Option<&Path>,
    call: impl AsyncFn() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let started = agent.and_then(|program| Agent::start(program).ok());
    if started.is_some() {
        return call().await;
    }
    first.map_err(|error| match error {
        ClientError::PasswordWanted(text) => ClientError::PasswordWanted(format!(
            "{text}; use sudo, or run it in a terminal where {AGENT} (package polkitd) is installed to ask for it"
        )),
        other => other,
    })
}

/// The agent in the path.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(AGENT)).find(|file| file.is_file())
}

/// An agent for this process. It ends with it.
struct Agent(Child);

impl Agent {
    /// Starts it and waits until polkit knows of it.
    fn start(program: &Path) -> std::io::Result<Agent> {
        let (registered, tell) = pipe()?;
        let fd = tell.as_raw_fd();
        let mut command = Command::new(program);
        // No `--fallback`: there was no other agent, and polkit passes a fallback over where it knows of no
        // session, as on a gateway without logind.
        command.args(["--process", &std::process::id().to_string()]);
        command.arg("--notify-fd").arg(fd.to_string());
        // It talks to the terminal itself.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // SAFETY: both calls may be made between fork and exec and touch no memory. The child's own
        // descriptor is left open over exec; should this process be killed, the agent ends too.
        unsafe {
            command.pre_exec(move || {
                if libc::fcntl(fd, libc::F_SETFD, 0) < 0
                    || libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) < 0
                {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let agent = Agent(command.spawn()?);
        drop(tell);
        wait(&registered);
        Ok(agent)
    }
}

/// Waits until the other end is closed. An agent that takes too long may still be in time for the question.
fn wait(registered: &PipeReader) {
    let mut poll = libc::pollfd { fd: registered.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: `poll` is live and one.
    unsafe { libc::poll(&raw mut poll, 1, REGISTERS_MS) };
}

impl Drop for Agent {
    fn drop(&mut self) {
        let Ok(pid) = libc::pid_t::try_from(self.0.id()) else { return };
        // SAFETY: kill has no memory to spoil; the child is ours and not waited for yet. It ends in its own
        // way, which gives the terminal back; one that was stopped has to go on for that.
        unsafe {
            libc::kill(pid, libc::SIGTERM);
            libc::kill(pid, libc::SIGCONT);
        }
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::fs;
    use std::time::{Duration, Instant};

    const REFUSED: &str = "uid 7 may not: polkit wants a password, and there was no way to ask for one";

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn refused<T>() -> Result<T, ClientError> {
        Err(ClientError::PasswordWanted(REFUSED.into()))
    }

    /// An agent that notes what it was told, says that it is registered, and stays until it is told to end.
    fn pretended(dir: &Path) -> PathBuf {
        let program = dir.join("agent");
        let script = format!(
            "#!/bin/bash\necho \"$*\" > {0}/told\ntrap 'echo yes > {0}/ended; exit' TERM\n\
             eval \"exec $4>&-\"\nwhile :; do sleep 0.05; done\n",
            dir.display()
        );
        // Written by another process: what another test starts meanwhile cannot keep it open for writing.
        let write = ["-c", "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", &script];
        assert!(Command::new("sh").args(write).arg(&program).status().unwrap().success());
        program
    }

    #[test]
    fn the_call_is_made_again_with_an_agent_that_ends_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let program = pretended(dir.path());
        let start = Instant::now();
        let done = run(again(refused(), Some(&program), async || {
            assert!(dir.path().join("told").exists() && !dir.path().join("ended").exists());
            Ok(7)
        }));
        assert_eq!(done.unwrap(), 7);
        assert!(start.elapsed() < Duration::from_secs(4), "it waits for the notice, not for the time");
        assert!(dir.path().join("ended").exists());
        let told = fs::read_to_string(dir.path().join("told")).unwrap();
        assert!(told.starts_with(&format!("--process {} --notify-fd ", std::process::id())), "{told}");
    }

    #[test]
    fn without_an_agent_it_says_what_would_help() {
        for agent in [None, Some(Path::new("/no/such/agent"))] {
            let error = run(again::<()>(refused(), agent, async || panic!("called again"))).unwrap_err();
            let ClientError::PasswordWanted(text) = error else { panic!("{error:?}") };
            assert!(text.starts_with(REFUSED) && text.contains("sudo") && text.contains(AGENT), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_tried_twice() {
        let calls = Cell::new(0);
        let out = Output::new(true);
        let result: Result<(), _> = run(with_password(&out, async || {
            calls.set(calls.get() + 1);
            // Words alone make no question.
            Err(ClientError::Denied(REFUSED.into()))
        }));
        assert!(matches!(result, Err(ClientError::Denied(text)) if text == REFUSED));
        assert_eq!(calls.get(), 1);
    }
}
