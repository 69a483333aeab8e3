// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys, signals, the clock and the service, one after another into the model.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use gasd_proxy::{Client, ClientError};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::fail::Failure;
use crate::output::{Style as Meaning, colour_wanted};
use crate::units::{boottime_ns, now_unix_us};

use super::feed::{self, Update};
use super::model::{Action, Key, Model, Now};
use super::palette::Palette;
use super::screen::Screen;

/// How often time passes on the screen.
const TICK: Duration = Duration::from_millis(250);

/// What comes from the keyboard.
enum Typed {
    Key(Key),
    Suspend,
    /// The window has another size, or somebody wants it drawn anew.
    Redraw,
    /// There is no keyboard any more.
    Gone,
}

/// The sentence that an action ended with.
type Done = (String, Meaning);

/// Runs until the user or a signal ends it.
///
/// # Errors
/// [`Failure::Usage`] without a terminal, [`Failure::Output`] when it goes away.
pub async fn run(bus: Option<String>) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("top wants a terminal; `gasctl watch` prints lines".to_owned()));
    }
    let mut ends =
        [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
    let mut suspend = signal(SignalKind::from_raw(libc::SIGTSTP))?;
    let started = Instant::now();
    let mut model = Model::new(Palette { colour: colour_wanted() }, now(started));
    let mut screen = Screen::take()?;
    let (tell, mut updates) = channel(64);
    tokio::spawn(feed::run(bus, tell));
    let mut typed = keyboard()?;
    let (finished, mut outcomes) = channel::<Done>(8);
    let mut client: Option<Client> = None;
    let mut clock = tokio::time::interval(TICK);
    loop {
        screen.draw(&model)?;
        let [terminate, interrupt, hangup] = &mut ends;
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            _ = suspend.recv() => screen.suspend()?,
            _ = clock.tick() => {}
            Some(update) = updates.recv() => match update {
                Update::Connected(found) => client = Some(found),
                Update::State(state) => model.see(*state),
                Update::Lost(why) => model.lose(why),
            },
            Some((text, meaning)) = outcomes.recv() => model.say(text, meaning),
            key = typed.recv() => match key {
                None | Some(Typed::Gone) => return Ok(()),
                Some(Typed::Suspend) => screen.suspend()?,
                Some(Typed::Redraw) => screen.redraw()?,
                Some(Typed::Key(key)) => match model.key(key) {
                    Some(Action::Quit) => return Ok(()),
                    Some(action) => {
                        if let Some(client) = client.clone() {
                            model.say("asking gasd …".to_owned(), Meaning::Plain);
                            tokio::spawn(act(client, action, finished.clone()));
                        }
                    }
                    None => {}
                },
            },
        }
        model.tick(now(started));
    }
}

fn now(started: Instant) -> Now {
    Now { t: started.elapsed().as_secs_f64(), boottime_ns: boottime_ns(), unix_us: now_unix_us() }
}

/// Carries an action out and tells how it ended.
async fn act(client: Client, action: Action, finished: Sender<Done>) {
    let (what, result) = match &action {
        Action::Quit => return,
        Action::Acknowledge(id) => {
            let done = async {
                client.verdict(*id).await?.acknowledge(HashMap::new()).await.map_err(ClientError::from)
            };
            let result = done.await.map_err(|error| Failure::controlling(error, "acknowledge verdicts"));
            (format!("verdict {id} acknowledged"), result)
        }
        Action::Close(id) => {
            let done = async {
                let valve = client.valve(id).await?;
                valve.close("closed with gasctl top", HashMap::new()).await.map_err(ClientError::from)
            };
            let result = done.await.map_err(|error| Failure::controlling(error, "close valves"));
            (format!("valve {id} closed, and held"), result)
        }
    };
    let done = match result {
        Ok(()) => (what, Meaning::Good),
        Err(failure) => (failure.to_string(), Meaning::Bad),
    };
    // The dashboard may be gone by now.
    let _ = finished.send(done).await;
}

/// Reads keys on a thread of its own: reading waits.
fn keyboard() -> std::io::Result<Receiver<Typed>> {
    let (tell, typed) = channel(16);
    std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
        loop {
            let event = match event::read() {
                Ok(event) => meaning(&event),
                Err(_) => Some(Typed::Gone),
            };
            let gone = matches!(event, Some(Typed::Gone));
            if event.is_some_and(|event| tell.blocking_send(event).is_err()) || gone {
                return;
            }
        }
    })?;
    Ok(typed)
}

fn meaning(event: &Event) -> Option<Typed> {
    match event {
        Event::Resize(..) => Some(Typed::Redraw),
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(key),
        _ => None,
    }
}

fn of_key(key: &KeyEvent) -> Option<Typed> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(Typed::Key(match key.code {
        KeyCode::Char('c') if control => Key::Quit,
        KeyCode::Char('z') if control => return Some(Typed::Suspend),
        KeyCode::Char('l') if control => return Some(Typed::Redraw),
        KeyCode::Char(_) if control => return None,
        KeyCode::Char('q') => Key::Quit,
        KeyCode::Right | KeyCode::Down | KeyCode::Tab => Key::Next,
        KeyCode::Left | KeyCode::Up | KeyCode::BackTab => Key::Previous,
        KeyCode::Char('a') => Key::Ack,
        KeyCode::Char('c') => Key::Close,
        KeyCode::Char('?' | 'h') => Key::Help,
        KeyCode::Char('y') => Key::Yes,
        KeyCode::Char('n') | KeyCode::Esc => Key::No,
        _ => return None,
    }))
}
