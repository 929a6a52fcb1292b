//! The plot of the distribution of round trips.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;

use clap::ValueEnum;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use super::latencies::as_f64;
use super::measure::Row;
use super::report::time;
use crate::failure::{Failure, Outcome};

/// The size of the plot in pixels.
const SIZE: (u32, u32) = (900, 560);

/// Checks before the measurement that the plot can be drawn.
pub(super) fn check(file: &Path) -> Outcome {
    let ending = file.extension().and_then(OsStr::to_str);
    if !matches!(ending, Some("svg" | "png")) {
        let why = "the name of a plot ends with .svg or .png";
        return Err(Failure::new(format!("draw {}: {why}", file.display())));
    }
    std::fs::write(file, b"").map_err(|error| failed(file, error))
}

fn failed(file: &Path, error: impl Display) -> Failure {
    Failure::new(format!("draw {}: {error}", file.display()))
}

/// The name of the font of the plot. Many machines have no fonts, so that the program has one.
const FONT: &str = "DejaVu Sans";

/// Draws the distribution of every row.
pub(super) fn draw(file: &Path, rows: &[Row]) -> Outcome {
    register_font(FONT, FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| failed(file, "the font of the plot is not valid"))?;
    let result = if file.extension() == Some(OsStr::new("png")) {
        draw_on(&BitMapBackend::new(file, SIZE).into_drawing_area(), rows)
    } else {
        draw_on(&SVGBackend::new(file, SIZE).into_drawing_area(), rows)
    };
    result.map_err(|error| failed(file, error))
}

/// The percentiles that the plot shows.
const PERCENTILES: [f64; 14] =
    [1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999];

fn draw_on<B: DrawingBackend>(area: &DrawingArea<B, Shift>, rows: &[Row]) -> Result<(), String> {
    let text = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
    area.fill(&WHITE).map_err(text)?;
    // The horizontal axis is logarithmic in the share of slower round trips, so that the slow ones have
    // as much space as the others.
    let place = |percentile: f64| 100.0 / (100.0 - percentile);
    let times = || {
        let all = rows.iter().flat_map(|row| PERCENTILES.map(|p| row.trips.percentile(p)));
        all.map(|ns| as_f64(ns.max(1)))
    };
    let low = times().fold(f64::INFINITY, f64::min) / 1.5;
    let high = times().fold(1.0, f64::max) * 1.5;
    let mut chart = ChartBuilder::on(area)
        .caption("Round trips between two processes", (FONT, 22))
        .margin(14)
        .x_label_area_size(48)
        .y_label_area_size(78)
        .build_cartesian_2d((1.0..place(99.999)).log_scale(), (low..high).log_scale())
        .map_err(text)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .label_style((FONT, 13))
        .axis_desc_style((FONT, 14))
        .x_desc("share of round trips that are at least as fast")
        .y_desc("time, logarithmic scale")
        .x_label_formatter(&|value| {
            let percentile = 100.0 - 100.0 / value;
            format!("{} %", (percentile * 1000.0).round() / 1000.0)
        })
        .y_label_formatter(&|value| time(*value))
        .draw()
        .map_err(text)?;
    for (number, row) in rows.iter().enumerate() {
        let colour = Palette99::pick(number).to_rgba();
        let points = PERCENTILES.map(|p| (place(p), as_f64(row.trips.percentile(p).max(1))));
        let waiting = row.waiting.to_possible_value();
        let waiting = waiting.as_ref().map_or("", |value| value.get_name());
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))
            .map_err(text)?
            .label(format!("{}, {waiting}", row.kind.name()))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font((FONT, 13))
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
        .map_err(text)?;
    area.present().map_err(text)
}
