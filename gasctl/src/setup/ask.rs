// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions to a person at a terminal.

use std::io::{BufRead, Write};

use crate::cli::{Bias, Level, SetupArgs};
use crate::fail::Failure;

use super::plan::{CLOSES_ONLY, good_id};

/// What is wrong with the answers, the first of which were good before the last one was given.
pub type Judge<'a> = &'a dyn Fn(&SetupArgs, &SetupArgs) -> Option<String>;

/// Questions on one stream, answers on another.
pub struct Dialogue<'a> {
    input: &'a mut dyn BufRead,
    screen: &'a mut dyn Write,
}

/// How a contact is wired.
pub struct Wiring {
    /// A closed contact pulls the line low.
    pub active_low: bool,
    /// The chip's own resistor.
    pub bias: Option<Bias>,
}

impl<'a> Dialogue<'a> {
    /// Asks on `screen`, reads from `input`.
    pub fn new(input: &'a mut dyn BufRead, screen: &'a mut dyn Write) -> Dialogue<'a> {
        Dialogue { input, screen }
    }

    /// A line of text; `None` for an empty one.
    fn answer(&mut self, question: &str) -> Result<Option<String>, Failure> {
        write!(self.screen, "{question} ")?;
        self.screen.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(Failure::Usage("the answers ended before the questions; nothing was written".into()));
        }
        let line = line.trim().to_owned();
        Ok((!line.is_empty()).then_some(line))
    }

    fn hint(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.screen, "  {text}")?)
    }

    /// Yes or no.
    pub fn yes(&mut self, question: &str, default: bool) -> Result<bool, Failure> {
        loop {
            let choice = if default { "[Y/n]" } else { "[y/N]" };
            match self.answer(&format!("{question} {choice}"))?.as_deref().map(str::to_lowercase).as_deref() {
                None => return Ok(default),
                Some("y" | "yes") => return Ok(true),
                Some("n" | "no") => return Ok(false),
                Some(_) => self.hint("y or n")?,
            }
        }
    }

    /// A text, with or without a proposal.
    pub fn text(&mut self, question: &str, proposal: Option<&str>) -> Result<String, Failure> {
        loop {
            let asked = match proposal {
                Some(proposal) => format!("{question} [{proposal}]:"),
                None => format!("{question}:"),
            };
            match self.answer(&asked)?.or_else(|| proposal.map(str::to_owned)) {
                Some(text) => return Ok(text),
                None => self.hint("an answer is needed; Ctrl-C ends without writing anything")?,
            }
        }
    }

    /// A line's offset.
    pub fn number(&mut self, question: &str, proposal: Option<u32>) -> Result<u32, Failure> {
        let proposal = proposal.map(|n| n.to_string());
        loop {
            match self.text(question, proposal.as_deref())?.parse() {
                Ok(number) => return Ok(number),
                Err(_) => self.hint("a whole number like 4")?,
            }
        }
    }

    /// A line's offset, or none.
    fn maybe_number(&mut self, question: &str) -> Result<Option<u32>, Failure> {
        loop {
            match self.answer(&format!("{question} [none]:"))?.map(|text| text.parse()) {
                None => return Ok(None),
                Some(Ok(number)) => return Ok(Some(number)),
                Some(Err(_)) => self.hint("a whole number like 4, or Enter for none")?,
            }
        }
    }

    /// Asks until the judge has nothing against the answers.
    fn until_good(
        &mut self,
        args: &mut SetupArgs,
        judge: Judge<'_>,
        mut ask: impl FnMut(&mut Self, &mut SetupArgs) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        loop {
            let mut answered = args.clone();
            ask(self, &mut answered)?;
            match judge(args, &answered) {
                None => {
                    *args = answered;
                    return Ok(());
                }
                Some(why) => self.hint(&why.replace(char::is_control, " "))?,
            }
        }
    }

    /// How the contact is wired.
    pub fn wiring(&mut self) -> Result<Wiring, Failure> {
        self.hint("How is the meter's contact wired?")?;
        self.hint(
            "1  between the line and ground, the chip's own resistor pulls up (usual for a reed contact)",
        )?;
        self.hint("2  between the line and ground, with a resistor on the board")?;
        self.hint("3  between the line and the supply, the chip's own resistor pulls down")?;
        self.hint("4  it drives the line high while closed (a coupler or converter)")?;
        loop {
            let (active_low, bias) = match self.text("Wiring", Some("1"))?.as_str() {
                "1" => (true, Some(Bias::PullUp)),
                "2" => (true, None),
                "3" => (false, Some(Bias::PullDown)),
                "4" => (false, None),
                _ => {
                    self.hint("1, 2, 3 or 4")?;
                    continue;
                }
            };
            return Ok(Wiring { active_low, bias });
        }
    }

    /// Everything but the line: the meter's id and plate, and its valve.
    pub fn rest(&mut self, args: &mut SetupArgs, judge: Judge<'_>) -> Result<(), Failure> {
        // A flag that is wrong would make every answer after it look wrong.
        if let Some(why) = judge(&SetupArgs::default(), args) {
            return Err(Failure::Usage(why));
        }
        if args.id.as_deref().is_none_or(|id| !good_id(id)) {
            self.until_good(args, judge, Self::id)?;
        }
        if args.pulse_volume.is_none() {
            self.until_good(args, judge, |d, args| {
                let question = "Volume of one pulse, from the meter's plate ('10 L', '100 imp/m3')";
                args.pulse_volume = Some(d.text(question, None)?);
                Ok(())
            })?;
        }
        if args.max_flow.is_none() {
            self.until_good(args, judge, |d, args| {
                args.max_flow = Some(d.text("Qmax, from the meter's plate", Some("6 m3/h"))?);
                Ok(())
            })?;
        }
        if args.valve.is_none() {
            self.valve(args, judge)?;
        }
        Ok(())
    }

    fn id(&mut self, args: &mut SetupArgs) -> Result<(), Failure> {
        while args.id.as_deref().is_none_or(|id| !good_id(id)) {
            args.id = Some(self.text("Id of the meter (letters, digits, _ and -)", Some("gas"))?);
        }
        Ok(())
    }

    fn valve(&mut self, args: &mut SetupArgs, judge: Judge<'_>) -> Result<(), Failure> {
        self.hint("What does a critical verdict close?")?;
        self.hint("1  nothing: verdicts are only told")?;
        self.hint("2  a valve that is configured already")?;
        self.hint("3  a new valve on a GPIO line")?;
        self.hint("4  a new valve in memory only, for trying things out")?;
        loop {
            let choice = self.text("Valve", Some("1"))?;
            let mut answered = args.clone();
            match choice.as_str() {
                "1" => return Ok(()),
                "2" => answered.valve = Some(self.text("Its id", Some("main"))?),
                "3" => {
                    self.until_good(args, judge, |d, args| {
                        args.valve_simulated = true;
                        args.valve = Some(d.text("Id of the valve", Some("main"))?);
                        Ok(())
                    })?;
                    args.valve_simulated = false;
                    return self.gpio_valve(args, judge);
                }
                "4" => {
                    answered.valve = Some(self.text("Id of the valve", Some("main"))?);
                    answered.valve_simulated = true;
                }
                _ => {
                    self.hint("1, 2, 3 or 4")?;
                    continue;
                }
            }
            match judge(args, &answered) {
                None => {
                    *args = answered;
                    return Ok(());
                }
                // The way out of a valve that is not there is another choice.
                Some(why) => self.hint(&why.replace(char::is_control, " "))?,
            }
        }
    }

    fn gpio_valve(&mut self, args: &mut SetupArgs, judge: Judge<'_>) -> Result<(), Failure> {
        self.until_good(args, judge, |d, args| {
            args.valve_chip = Some(d.text("Its chip", args.chip.as_deref())?);
            args.valve_line = Some(d.number("The line that drives it", None)?);
            Ok(())
        })?;
        args.valve_closed = Some(self.level()?);
        if self.yes("Does it latch (a coil is fed for a moment only)?", false)? {
            self.until_good(args, judge, |d, args| {
                args.valve_pulse = Some(d.text("How long the coil is fed", Some("60 ms"))?);
                Ok(())
            })?;
            self.until_good(args, judge, |d, args| {
                args.valve_open_line = d.maybe_number("Line of the coil that opens it")?;
                Ok(())
            })?;
            if args.valve_open_line.is_none() {
                self.hint(CLOSES_ONLY)?;
            }
        }
        self.until_good(args, judge, |d, args| {
            args.valve_feedback_line = d.maybe_number("Line that is high while it is closed (feedback)")?;
            Ok(())
        })
    }

    fn level(&mut self) -> Result<Level, Failure> {
        loop {
            match self.text("Level that CLOSES it (high or low)", None)?.as_str() {
                "high" => return Ok(Level::High),
                "low" => return Ok(Level::Low),
                _ => self.hint("high or low; there is no safe default")?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk<T>(answers: &str, ask: impl FnOnce(&mut Dialogue<'_>) -> T) -> (T, String) {
        let mut screen = Vec::new();
        let result = ask(&mut Dialogue::new(&mut answers.as_bytes(), &mut screen));
        (result, String::from_utf8(screen).unwrap())
    }

    #[test]
    fn a_whole_interview_gives_a_whole_meter() {
        let mut args = SetupArgs { chip: Some("gpiochip0".into()), line: Some(4), ..SetupArgs::default() };
        let answers = "no spaces please\nkitchen\n\n10 L\n\n3\n\n\nx\n22\nopen\nhigh\ny\n\n23\nx\n24\n";
        let (done, screen) = talk(answers, |d| d.rest(&mut args, &|_, _| None));
        done.unwrap();
        assert_eq!((args.id.as_deref(), args.pulse_volume.as_deref()), (Some("kitchen"), Some("10 L")));
        assert_eq!(args.max_flow.as_deref(), Some("6 m3/h"));
        assert_eq!((args.valve.as_deref(), args.valve_chip.as_deref()), (Some("main"), Some("gpiochip0")));
        assert_eq!((args.valve_line, args.valve_closed), (Some(22), Some(Level::High)));
        assert_eq!(args.valve_pulse.as_deref(), Some("60 ms"));
        assert_eq!((args.valve_open_line, args.valve_feedback_line), (Some(23), Some(24)));
        assert!(screen.contains("no safe default") && screen.contains("a whole number"), "{screen}");
    }

    #[test]
    fn an_answer_that_is_not_taken_is_asked_for_again_with_the_reason() {
        let judge = |_: &SetupArgs, now: &SetupArgs| {
            let wrong = [
                now.id.as_deref() == Some("taken"),
                now.pulse_volume.as_deref() == Some("ten"),
                now.max_flow.as_deref() == Some("six"),
                now.valve.as_deref() == Some("nowhere"),
                now.valve_line == now.line && now.line.is_some(),
                now.valve_pulse.as_deref() == Some("long"),
                now.valve_open_line == Some(22),
            ];
            wrong.iter().position(|wrong| *wrong).map(|at| format!("reason {at}"))
        };
        let mut args = SetupArgs { chip: Some("gpiochip0".into()), line: Some(4), ..SetupArgs::default() };
        let answers =
            "taken\nk\nten\n1 L\nsix\n6 m3/h\n2\nnowhere\n3\n\n\n4\n\n22\nhigh\ny\nlong\n60 ms\n22\n\n\n";
        let (done, screen) = talk(answers, |d| d.rest(&mut args, &judge));
        done.unwrap();
        for at in 0..7 {
            assert_eq!(screen.matches(&format!("reason {at}")).count(), 1, "{at}: {screen}");
        }
        assert_eq!((args.id.as_deref(), args.pulse_volume.as_deref()), (Some("k"), Some("1 L")));
        assert_eq!((args.valve_line, args.valve_open_line), (Some(22), None));
        assert!(!args.valve_simulated && screen.contains(CLOSES_ONLY), "{screen}");
    }

    #[test]
    fn a_wrong_flag_ends_it_before_the_questions() {
        let mut args = SetupArgs { pulse_volume: Some("ten".into()), ..SetupArgs::default() };
        let (result, screen) = talk("", |d| d.rest(&mut args, &|_, _| Some("no unit".into())));
        assert!(matches!(result, Err(Failure::Usage(why)) if why == "no unit") && screen.is_empty());
    }

    #[test]
    fn the_usual_wiring_is_proposed() {
        let (wiring, _) = talk("9\n\n", |d| d.wiring());
        let wiring = wiring.unwrap();
        assert!(wiring.active_low && wiring.bias == Some(Bias::PullUp));
    }

    #[test]
    fn a_closed_input_ends_it_with_wrong_usage() {
        let (result, _) = talk("", |d| d.yes("Write?", true));
        assert_eq!(result.unwrap_err().status(), 2);
    }

    #[test]
    fn nothing_is_written_by_leaning_on_enter() {
        assert!(!talk("\n", |d| d.yes("Write?", false)).0.unwrap());
        assert!(talk("maybe\nYES\n", |d| d.yes("Write?", false)).0.unwrap());
    }
}
