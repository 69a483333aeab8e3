//! Typed proxies of `io.gasd1`.
