// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal. It is given back as it was, also after a panic or a signal.

use std::io::{Stdout, stdout};
use std::sync::Once;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::model::Model;
use super::view;

static HOOK: Once = Once::new();

/// The terminal while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When it is none.
    pub fn take() -> std::io::Result<Screen> {
        // Also where a panic aborts, the hook runs first.
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        enter()?;
        let terminal = Terminal::new(CrosstermBackend::new(stdout())).inspect_err(|_| give_back())?;
        Ok(Screen { terminal })
    }

    /// Draws.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, model: &Model) -> std::io::Result<()> {
        self.terminal.draw(|frame| view::draw(frame, model)).map(drop)
    }

    /// Stops this process as Ctrl-Z does, and goes on when it is continued.
    ///
    /// # Errors
    /// When the terminal is gone by then.
    pub fn suspend(&mut self) -> std::io::Result<()> {
        give_back();
        // SAFETY: raise has no memory to spoil. SIGSTOP cannot be caught: the next line runs when
        // somebody continues us.
        unsafe { libc::raise(libc::SIGSTOP) };
        enter()?;
        self.redraw()
    }

    /// Has the next frame drawn whole, whatever stands on the screen.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn redraw(&mut self) -> std::io::Result<()> {
        // `Terminal::clear` would ask the terminal where its cursor is, and the answer would go to the
        // thread that waits for keys. A new one knows of no earlier frame either, and asks nothing.
        execute!(stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> std::io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, Hide).inspect_err(|_| drop(disable_raw_mode()))
}

/// A terminal that is gone needs nothing any more, so errors are none.
fn give_back() {
    let _ = disable_raw_mode();
    let _ = execute!(stdout(), LeaveAlternateScreen, Show);
}
