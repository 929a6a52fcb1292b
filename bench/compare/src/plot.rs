//! The plots, one for light and one for dark backgrounds.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::duel::by_transport;
use crate::exchange::Exchange;
use crate::report::{Spread, bytes, time};
use crate::results::{Results, Round};
use crate::transport::Waiting;

type Outcome = Result<(), Box<dyn Error>>;

/// The colours of a plot.
#[derive(Clone, Copy)]
struct Theme {
    name: &'static str,
    background: RGBColor,
    text: RGBColor,
    lines: RGBColor,
    /// The colour of pagemate.
    ours: RGBColor,
    others: [RGBColor; 8],
}

const THEMES: [Theme; 2] = [
    Theme {
        name: "light",
        background: RGBColor(255, 255, 255),
        text: RGBColor(31, 35, 40),
        lines: RGBColor(208, 215, 222),
        ours: RGBColor(9, 105, 218),
        others: [
            RGBColor(110, 119, 129),
            RGBColor(207, 34, 46),
            RGBColor(26, 127, 55),
            RGBColor(191, 135, 0),
            RGBColor(130, 80, 223),
            RGBColor(188, 76, 0),
            RGBColor(27, 124, 131),
            RGBColor(191, 57, 137),
        ],
    },
    Theme {
        name: "dark",
        background: RGBColor(13, 17, 23),
        text: RGBColor(230, 237, 243),
        lines: RGBColor(48, 54, 61),
        ours: RGBColor(88, 166, 255),
        others: [
            RGBColor(139, 148, 158),
            RGBColor(255, 123, 114),
            RGBColor(63, 185, 80),
            RGBColor(210, 153, 34),
            RGBColor(188, 140, 255),
            RGBColor(240, 136, 62),
            RGBColor(57, 197, 207),
            RGBColor(247, 120, 186),
        ],
    },
];

/// Draws every plot for which there are results.
pub(crate) fn write(folder: &Path, results: &Results) -> Outcome {
    for theme in THEMES {
        let file = |name: &str| folder.join(format!("{name}-{}.svg", theme.name));
        let trips = medians(results, Waiting::Polling, Exchange::Trip, 8);
        bars(&file("round-trip"), theme, "Round trip of 64 bytes, polling", "time", &trips, time)?;
        distribution(&file("latency"), theme, results)?;
        throughput(&file("throughput"), theme, results)?;
        deaths(&file("deaths"), theme, results)?;
    }
    Ok(())
}

/// Returns the medians of a row, the fastest first.
fn medians(
    results: &Results,
    waiting: Waiting,
    exchange: Exchange,
    words: usize,
) -> Vec<(String, f64)> {
    let rounds: Vec<&Round> = results
        .rounds
        .iter()
        .filter(|round| {
            let row = round.row;
            row.waiting == waiting
                && row.exchange == exchange
                && row.words == words
                && row.depth <= 64
        })
        .collect();
    let all = by_transport(&rounds).into_iter();
    let mut medians: Vec<(String, f64)> =
        all.filter_map(|(name, ns)| Some((name.to_owned(), Spread::of(&ns)?.median))).collect();
    medians.sort_by(|a, b| a.1.total_cmp(&b.1));
    medians
}

fn font(theme: Theme, size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&theme.text)
}

/// Draws a bar for each entry, on a logarithmic axis.
fn bars(
    file: &Path,
    theme: Theme,
    title: &str,
    unit: &str,
    entries: &[(String, f64)],
    label: fn(f64) -> String,
) -> Outcome {
    if entries.is_empty() {
        return Ok(());
    }
    let height = 110 + 26 * entries.len() as u32;
    let root = SVGBackend::new(file, (860, height)).into_drawing_area();
    root.fill(&theme.background)?;
    let values = entries.iter().map(|entry| entry.1);
    let low = values.clone().fold(f64::INFINITY, f64::min) / 2.0;
    let high = values.fold(0.0, f64::max) * 3.0;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, font(theme, 20))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(210)
        .build_cartesian_2d((low..high).log_scale(), 0..entries.len())?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(theme.background)
        .bold_line_style(theme.lines)
        .axis_style(theme.lines)
        .x_desc(format!("{unit}, logarithmic scale"))
        .x_label_formatter(&|value| label(*value))
        .label_style(font(theme, 13))
        .axis_desc_style(font(theme, 14))
        .draw()?;
    for (index, (name, value)) in entries.iter().enumerate() {
        let place = entries.len() - 1 - index;
        let colour = if name.starts_with("pagemate") { theme.ours } else { theme.others[0] };
        let mut bar = Rectangle::new([(low, place), (*value, place + 1)], colour.filled());
        bar.set_margin(4, 4, 0, 0);
        chart.draw_series([bar])?;
        let at = chart.backend_coord(&(low, place));
        let middle = at.1 - 13;
        let name_style = font(theme, 14).pos(right_middle());
        root.draw(&Text::new(name.clone(), (at.0 - 8, middle), name_style))?;
        let end = chart.backend_coord(&(*value, place));
        let value_style = font(theme, 13).pos(left_middle());
        root.draw(&Text::new(label(*value), (end.0 + 6, middle), value_style))?;
    }
    root.present()?;
    Ok(())
}

fn right_middle() -> plotters::style::text_anchor::Pos {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    Pos::new(HPos::Right, VPos::Center)
}

fn left_middle() -> plotters::style::text_anchor::Pos {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    Pos::new(HPos::Left, VPos::Center)
}

/// A line of a plot: its name and its points.
type Line = (String, Vec<(f64, f64)>);

/// The texts of a plot of lines.
struct Axes<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    x_label: &'a dyn Fn(f64) -> String,
    y_label: &'a dyn Fn(f64) -> String,
}

/// Draws lines on logarithmic axes.
fn lines(file: &Path, theme: Theme, axes: &Axes, lines: &[Line]) -> Outcome {
    let points = || lines.iter().flat_map(|(_, points)| points);
    if points().next().is_none() {
        return Ok(());
    }
    let range = |values: &dyn Fn(&(f64, f64)) -> f64, room: f64| {
        let low = points().map(values).fold(f64::INFINITY, f64::min);
        let high = points().map(values).fold(0.0, f64::max);
        (low / room..high * room).log_scale()
    };
    let root = SVGBackend::new(file, (860, 520)).into_drawing_area();
    root.fill(&theme.background)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(axes.title, font(theme, 20))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(74)
        .build_cartesian_2d(range(&|point| point.0, 1.1), range(&|point| point.1, 1.6))?;
    chart
        .configure_mesh()
        .light_line_style(theme.background)
        .bold_line_style(theme.lines)
        .axis_style(theme.lines)
        .x_desc(axes.x)
        .y_desc(axes.y)
        .x_label_formatter(&|value| (axes.x_label)(*value))
        .y_label_formatter(&|value| (axes.y_label)(*value))
        .label_style(font(theme, 13))
        .axis_desc_style(font(theme, 14))
        .draw()?;
    let mut others = theme.others.into_iter().cycle();
    for (name, points) in lines {
        let ours = name.starts_with("pagemate");
        let colour = if ours { theme.ours } else { others.next().unwrap_or(theme.text) };
        let width = if ours { 3 } else { 2 };
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(width));
        chart.draw_series(line.point_size(3))?.label(name).legend(move |(x, y)| {
            PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(width))
        });
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(theme.background.mix(0.8))
        .border_style(theme.lines)
        .label_font(font(theme, 13))
        .draw()?;
    root.present()?;
    Ok(())
}

/// The contenders that a plot of lines shows.
const SHOWN: [&str; 8] = [
    "pagemate spsc",
    "packed ring with sequences",
    "shaq spsc",
    "ringfire",
    "iceoryx2",
    "shmem-ipc",
    "cloudtoid-interprocess",
    "pipe",
];

fn distribution(file: &Path, theme: Theme, results: &Results) -> Outcome {
    let shown = results.latencies.iter().filter(|latency| {
        latency.row.waiting == Waiting::Polling && SHOWN.contains(&latency.transport)
    });
    // The axis shows how many round trips of a hundred thousand are slower.
    let line = |latency: &crate::results::Latency| {
        let points = latency.percentiles.iter().filter(|(percentile, _)| *percentile < 100.0);
        let points = points.map(|(percentile, ns)| (100.0 / (100.0 - percentile), *ns as f64));
        (latency.transport.to_owned(), points.collect())
    };
    let axes = Axes {
        title: "Round trips of 64 bytes, polling: the slow ones",
        x: "percentile",
        y: "time, logarithmic scale",
        x_label: &|value| {
            let percentile = 100.0 - 100.0 / value;
            format!("{} %", (percentile * 1000.0).round() / 1000.0)
        },
        y_label: &time,
    };
    lines(file, theme, &axes, &shown.map(line).collect::<Vec<Line>>())
}

fn throughput(file: &Path, theme: Theme, results: &Results) -> Outcome {
    let line = |name: &&str| {
        let points = crate::transport::LENGTHS.iter().filter_map(|words| {
            let all = medians(results, Waiting::Polling, Exchange::Single, *words);
            let (_, ns) = all.into_iter().find(|(other, _)| other == name)?;
            Some((*words as f64 * 8.0, *words as f64 * 8.0 / ns))
        });
        ((*name).to_owned(), points.collect())
    };
    let axes = Axes {
        title: "Bytes that one sender and one receiver write and read, polling",
        x: "bytes of a message, logarithmic scale",
        y: "GB/s, logarithmic scale",
        x_label: &|value| bytes(value as usize),
        y_label: &|value| format!("{value}"),
    };
    let lines_: Vec<Line> =
        SHOWN.iter().map(line).filter(|line: &Line| !line.1.is_empty()).collect();
    lines(file, theme, &axes, &lines_)
}

fn deaths(file: &Path, theme: Theme, results: &Results) -> Outcome {
    let mut entries: Vec<(String, f64)> = Vec::new();
    for value in results.values.iter().filter(|value| value.table == "deaths") {
        if value.unit == "% of deaths that stop the others" {
            let role = if value.row.contains("sender") { "sender" } else { "receiver" };
            entries.push((format!("{}, {role}", value.subject), value.values[0].max(0.5)));
        }
    }
    entries.sort_by(|a, b| a.1.total_cmp(&b.1));
    let label = |value: f64| {
        if value <= 0.5 { "none".to_owned() } else { format!("{value:.0} %") }
    };
    let title = "Deaths in a call after which the others wait for ever";
    bars(file, theme, title, "share of the moments", &entries, label)
}
