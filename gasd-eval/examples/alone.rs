// SPDX-License-Identifier: MIT OR Apache-2.0
//! The detector alone, for a few cells.
use gasd_eval::alone::{arl::*, cell::*, delay::*, learn::*, watch::*};
use gasd_eval::peers::focus::Focus;
struct F {
    f: Focus,
    k: Known,
}
impl Watch for F {
    fn pulse(&mut self, x: f64, told: &mut Vec<Told>) {
        let v = self.k.shape * self.f.step(1.0, x * self.k.rate);
        told.push(Told { after_s: x, value: v })
    }
}
fn main() {
    for (pulse_l, flow, rho, shape) in [
        (1.0, 1.0, 1.2, 1.0),
        (1.0, 1.0, 2.0, 1.0),
        (1.0, 1.0, 4.0, 1.0),
        (10.0, 1.0, 1.2, 1.0),
        (10., 1., 1.2, 100.),
        (10., 0.05, 5., 100.),
    ] {
        let cell = Cell { pulse_l, flow, rho, shape };
        let grid: Vec<f64> = gasd_detect::stat::MIXTURE_RATES.iter().map(|r| f64::from(*r)).collect();
        let mut base = 0.0;
        for (name, start, rises) in [
            (
                "oracle",
                &(move |k: &Known| Box::new(Oracle::new(k, rho)) as Box<dyn Watch>) as &Start,
                vec![rho],
            ),
            ("ours", &|k: &Known| Box::new(Ours::new(k, 0.0)) as Box<dyn Watch>, grid.clone()),
            ("focus", &|k: &Known| Box::new(F { f: Focus::new(), k: *k }) as Box<dyn Watch>, grid.clone()),
        ] {
            let t0 = std::time::Instant::now();
            let fa = FalseAlarms::simulate(
                &cell,
                History::Given,
                start,
                &Plan { runs: 1000, rises, memory_s: 0.0, most: 22.0 },
                1,
            );
            let th = fa.threshold(1.0);
            let t1 = t0.elapsed();
            let at0 = delay(
                &cell,
                History::Given,
                start,
                th.value,
                Runs { number: 1000, change: Change::AtStart, most_s: 1e7 },
                2,
            );
            let d = delay(
                &cell,
                History::Given,
                start,
                th.value,
                Runs { number: 2000, change: Change::AfterPulses(500), most_s: 1e7 },
                3,
            );
            if name == "oracle" {
                base = d.mean.max(cell.floor_s());
            }
            println!(
                "{cell:?} {name} h {:.2} ±{:.3} at0 {:.1} mean {:.1} ±{:.1} p95 {:.1} eta {:.3}  {:?} {:?}",
                th.value,
                th.error,
                at0.mean,
                d.mean,
                d.error,
                d.p95,
                d.mean / base,
                t1,
                t0.elapsed()
            );
        }
    }
}
