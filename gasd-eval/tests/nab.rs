// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scorer, on the benchmark itself, where its data are.

use gasd_eval::nab::{corpus, gaussian, score::score};

#[test]
fn the_published_score_of_the_windowed_gaussian_comes_out() {
    let Some(folder) = corpus::folder() else {
        eprintln!("SKIPPED: no data/nab beside the workspace; GASD_SHARED tells where it is");
        return;
    };
    let corpus = corpus::read(&folder).unwrap();
    assert_eq!(corpus.len(), 58);
    let scores: Vec<Vec<f64>> = corpus.iter().map(|series| gaussian::scores(&series.values)).collect();
    let found = score(&corpus, &scores);
    for (found, published) in found.iter().zip([39.649_5, 20.868_0, 47.410_0]) {
        assert!((found - published).abs() < 0.01, "{found}, published {published}");
    }
}
