#pragma once

#include "cli/command.hpp"

#include <lodestep/train_attns_paper.hpp>

#include <string>

namespace lodestep::cli {

/// What `train attns --recipe paper` accepts beside what every recipe does.
struct AttnsPaperFlags {
  std::optional<std::size_t> epochs, hidden, layers, batch;
  std::optional<double> learning_rate, loss_scale;
  std::string activation;
  bool standardised = false;

  bool any() const {
    return epochs || hidden || layers || batch || learning_rate || loss_scale || !activation.empty() || standardised;
  }
};

void add_attns_paper_flags(CLI::App& verb, AttnsPaperFlags& flags);

/// Trains, writes the model and prints what came out.
int train_attns_paper(const Problem& problem, AttnsPaperOptions options, const AttnsPaperFlags& flags,
                      const std::string& output, const Common& common);

} // namespace lodestep::cli
