// SPDX-License-Identifier: MIT OR Apache-2.0
//! The model that is shipped, as ONNX, says what its own cell does; and what cannot be used is refused with the reason.
#![cfg(feature = "onnx")]

use std::path::{Path, PathBuf};

use gasd_detect::learned::{FEATURES, Features, SHIPPED, State};
use gasd_eval::learned::onnx::{OnnxError, OnnxModel};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("learned/model.onnx")
}

#[test]
fn the_graph_says_what_the_cell_does() {
    let model = OnnxModel::read(&shipped()).unwrap();
    let (mut theirs, mut ours) = (model.state(), State::default());
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for step in 0..200u32 {
        let wave = |i: usize| (step as f32 * 0.1 + i as f32).sin() * 1.5;
        let features: Features = core::array::from_fn::<f32, FEATURES, _>(wave);
        let (a, b) = (model.step(&features, &mut theirs).unwrap(), SHIPPED.step(&features, &mut ours));
        assert!((a - b).abs() < 1e-3, "step {step}: the graph {a}, the cell {b}");
        (low, high) = (low.min(a), high.max(a));
    }
    assert!(high - low > 0.5, "it says more than one thing: {low} to {high}");
    assert_ne!(theirs, model.state(), "it remembers");
}

#[test]
fn what_cannot_be_used_is_refused_with_the_reason() {
    let why = |file: &Path| OnnxModel::read(file).map(|_| ()).unwrap_err();
    assert!(matches!(why(Path::new("/nonexistent.onnx")), OnnxError::Load(_)));
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    assert!(matches!(why(&text), OnnxError::Load(_)));
    // An output by another name: the length of the string stays.
    let mut bytes = std::fs::read(shipped()).unwrap();
    let name = b"h_next";
    for at in 0..bytes.len() - name.len() {
        if &bytes[at..at + name.len()] == name {
            bytes[at] = b'g';
        }
    }
    let file = std::env::temp_dir().join(format!("gasd-onnx-{}.onnx", std::process::id()));
    std::fs::write(&file, &bytes).unwrap();
    let refused = why(&file);
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(&refused, OnnxError::Missing(name) if name == "h_next"), "{refused}");
    assert!(refused.to_string().contains("docs/learned-model.md"));
}
