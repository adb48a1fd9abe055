#include "command/bench/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

namespace vernal {
namespace {

constexpr double kPanelWidth = 460;
constexpr double kPanelHeight = 300;
constexpr double kLeft = 70;    // room for the numbers of the axis
constexpr double kTop = 60;     // for the title
constexpr double kBottom = 50;  // for the depths
constexpr double kLegendLine = 18;
constexpr std::array<std::string_view, 8> kColours{"#1b6ca8", "#d1495b", "#2e933c", "#8e5aa8",
                                                   "#c77d1e", "#00798c", "#6b705c", "#3d348b"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;  // XML has no control characters
    }
  }
  return out;
}

/// The least of 1, 2 and 5 times a power of ten that cuts [0, most] into at most six pieces.
double tick_step(double most) {
  const double power = std::pow(10, std::floor(std::log10(most)));
  for (const double step : {0.1, 0.2, 0.5, 1.0, 2.0}) {
    if (most / (step * power) <= 6) return step * power;
  }
  return 5 * power;
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escaped(text));
}

/// One pair of axes with its curves.
class Panel {
 public:
  Panel(double left, std::string title, std::vector<const BenchCurve*> curves,
        const std::map<std::string, std::string_view>& colours)
      : left_(left), title_(std::move(title)), curves_(std::move(curves)), colours_(colours) {
    for (const BenchCurve* curve : curves_) {
      for (const auto& [depth, speed] : curve->series.points) {
        most_depth_ = std::max(most_depth_, static_cast<double>(depth));
        most_speed_ = std::max(most_speed_, speed);
      }
    }
  }

  std::string draw() const {
    std::string out = text_at(left_, kTop - 12, "start", title_ + ", tokens/s over depth");
    out += axes();
    double legend = kTop + kPanelHeight + kBottom;
    for (const BenchCurve* curve : curves_) {
      out += line(*curve);
      out += fmt::format("<path d=\"M{:.1f} {:.1f}h28\" stroke=\"{}\" stroke-width=\"2\"{}/>\n",
                         left_, legend - 4, colour(*curve), dashes(*curve));
      out += text_at(left_ + 36, legend, "start", curve->label);
      legend += kLegendLine;
    }
    return out;
  }

 private:
  double x_of(double depth) const { return left_ + depth / most_depth_ * kPanelWidth; }
  double y_of(double speed) const {
    return kTop + kPanelHeight - speed / most_speed_ * kPanelHeight;
  }
  std::string_view colour(const BenchCurve& curve) const { return colours_.at(curve.series.name); }
  static std::string_view dashes(const BenchCurve& curve) {
    return curve.is_dashed ? " stroke-dasharray=\"6 4\"" : "";
  }

  std::string axes() const {
    std::string out;
    for (double speed = 0; speed <= most_speed_ * 1.0001; speed += tick_step(most_speed_)) {
      out += fmt::format("<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"#ddd\"/>\n", left_,
                         y_of(speed), kPanelWidth);
      out += text_at(left_ - 8, y_of(speed) + 4, "end", fmt::format("{:g}", speed));
    }
    for (double depth = 0; depth <= most_depth_ * 1.0001; depth += tick_step(most_depth_)) {
      out += text_at(x_of(depth), kTop + kPanelHeight + 18, "middle", fmt::format("{:g}", depth));
    }
    return out;
  }

  std::string line(const BenchCurve& curve) const {
    std::string path;
    std::string dots;
    for (const auto& [depth, speed] : curve.series.points) {
      const double x = x_of(static_cast<double>(depth));
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y_of(speed));
      dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x,
                          y_of(speed), colour(curve));
    }
    return fmt::format("<path d=\"{}\" stroke=\"{}\" stroke-width=\"2\" fill=\"none\"{}/>\n{}",
                       path, colour(curve), dashes(curve), dots);
  }

  double left_;
  std::string title_;
  std::vector<const BenchCurve*> curves_;
  const std::map<std::string, std::string_view>& colours_;
  double most_depth_ = 1;
  double most_speed_ = 1e-9;
};

void add_curves(const BenchResult& result, std::string_view suffix, bool is_dashed,
                std::vector<BenchCurve>& out) {
  for (BenchSeries& series : series_of(result)) {
    if (series.points.empty()) continue;
    out.push_back({fmt::format("{}{}", series.name, suffix), is_dashed, std::move(series)});
  }
}

}  // namespace

std::string bench_picture(const std::string& title, const std::vector<BenchCurve>& curves) {
  std::map<std::string, std::string_view> colours;  // by the name of the series
  std::vector<const BenchCurve*> decode;
  std::vector<const BenchCurve*> prefill;
  for (const BenchCurve& curve : curves) {
    colours.try_emplace(curve.series.name, kColours[colours.size() % kColours.size()]);
    (curve.series.is_prefill ? prefill : decode).push_back(&curve);
  }
  const double columns = prefill.empty() ? 1 : 2;
  const double width = columns * (kLeft + kPanelWidth) + 30;
  const double height = kTop + kPanelHeight + kBottom +
                        kLegendLine * static_cast<double>(std::max(decode.size(), prefill.size()));
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      width, height);
  out += fmt::format("<text x=\"{:.0f}\" y=\"24\" font-size=\"15\">{}</text>\n", kLeft,
                     escaped(title));
  out += Panel(kLeft, "decode", std::move(decode), colours).draw();
  if (!prefill.empty()) {
    out += Panel(2 * kLeft + kPanelWidth, "prefill", std::move(prefill), colours).draw();
  }
  return out + "</svg>\n";
}

std::vector<BenchCurve> curves_of(const BenchResult& result) {
  std::vector<BenchCurve> out;
  add_curves(result, "", false, out);
  return out;
}

std::vector<BenchCurve> curves_of(const BenchResult& first, const BenchResult& second) {
  std::vector<BenchCurve> out;
  add_curves(first, " (A)", false, out);
  add_curves(second, " (B)", true, out);
  return out;
}

}  // namespace vernal
