#include "train/inner_product.hpp"

#ifdef LODESTEP_HAVE_ONEDNN
#include "approximator/onednn_shim.hpp"
#include "approximator/single_threaded.hpp"

#include <lodestep/error.hpp>

#include <array>
#include <string>
#endif

namespace lodestep::detail {

#ifdef LODESTEP_HAVE_ONEDNN

namespace {

namespace shim = onednn_shim;
using shim::Memory;

class OnednnInnerProduct final : public InnerProduct<float> {
public:
  OnednnInnerProduct(std::int64_t batch, std::int64_t inputs, std::int64_t outputs)
      : stream_(engine_), x_(shim::matrix(batch, inputs), engine_, nullptr),
        y_(shim::matrix(batch, outputs), engine_, nullptr), bias_(shim::vector(outputs), engine_, nullptr),
        weights_(shim::matrix(outputs, inputs), engine_, nullptr) {
    const auto made = shim::inner_product_training(engine_, batch, inputs, outputs);
    forward_ = dnnl::inner_product_forward(made.forward);
    backward_data_ = dnnl::inner_product_backward_data(made.backward_data);
    backward_weights_ = dnnl::inner_product_backward_weights(made.backward_weights);
    forward_weights_ = Packed(made.forward.weights_desc(), weights_, engine_);
    data_weights_ = Packed(made.backward_data.weights_desc(), weights_, engine_);
    gradient_ = Packed(made.backward_weights.diff_weights_desc(), weights_, engine_);
    scratchpads_ = {Memory(made.forward.scratchpad_desc(), engine_),
                    Memory(made.backward_data.scratchpad_desc(), engine_),
                    Memory(made.backward_weights.scratchpad_desc(), engine_)};
  }

  void forward(const float* x, const float* weights, const float* bias, float* y) override {
    const SingleThreaded single;
    point(x_, x);
    point(weights_, weights);
    point(bias_, bias);
    point(y_, y);
    forward_.execute(stream_, {{DNNL_ARG_SRC, x_},
                               {DNNL_ARG_WEIGHTS, packed(forward_weights_)},
                               {DNNL_ARG_BIAS, bias_},
                               {DNNL_ARG_DST, y_},
                               {DNNL_ARG_SCRATCHPAD, scratchpads_[0]}});
    stream_.wait();
  }

  void backward_data(const float* dy, const float* weights, float* dx) override {
    const SingleThreaded single;
    point(y_, dy);
    point(weights_, weights);
    point(x_, dx);
    backward_data_.execute(stream_, {{DNNL_ARG_DIFF_DST, y_},
                                     {DNNL_ARG_WEIGHTS, packed(data_weights_)},
                                     {DNNL_ARG_DIFF_SRC, x_},
                                     {DNNL_ARG_SCRATCHPAD, scratchpads_[1]}});
    stream_.wait();
  }

  void backward_weights(const float* x, const float* dy, float* d_weights, float* d_bias) override {
    const SingleThreaded single;
    point(x_, x);
    point(y_, dy);
    point(weights_, d_weights);
    point(bias_, d_bias);
    backward_weights_.execute(stream_, {{DNNL_ARG_SRC, x_},
                                        {DNNL_ARG_DIFF_DST, y_},
                                        {DNNL_ARG_DIFF_WEIGHTS, gradient_.plain ? weights_ : gradient_.memory},
                                        {DNNL_ARG_DIFF_BIAS, bias_},
                                        {DNNL_ARG_SCRATCHPAD, scratchpads_[2]}});
    if (!gradient_.plain) gradient_.out.execute(stream_, gradient_.memory, weights_);
    stream_.wait();
  }

private:
  /// Weights in the layout a primitive wants. They change with every step of training, so they are packed every time:
  /// little beside the product itself where the batch is large.
  struct Packed {
    Packed() = default;
    Packed(const Memory::desc& wanted, const Memory& row_major, const dnnl::engine& engine)
        : plain(wanted == row_major.get_desc()) {
      if (plain) return;
      memory = Memory(wanted, engine);
      in = dnnl::reorder(row_major, memory);
      out = dnnl::reorder(memory, row_major);
    }
    bool plain = true;
    Memory memory;
    dnnl::reorder in;
    dnnl::reorder out;
  };

  /// oneDNN's memory objects have no const: what is an argument here is only read.
  static void point(Memory& memory, const float* data) { memory.set_data_handle(const_cast<float*>(data)); }

  Memory& packed(Packed& form) {
    if (form.plain) return weights_;
    form.in.execute(stream_, weights_, form.memory);
    return form.memory;
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_;
  Memory x_;
  Memory y_;
  Memory bias_;
  Memory weights_;
  dnnl::primitive forward_;
  dnnl::primitive backward_data_;
  dnnl::primitive backward_weights_;
  Packed forward_weights_;
  Packed data_weights_;
  Packed gradient_;
  std::array<Memory, 3> scratchpads_;
};

} // namespace

bool onednn_training_available() noexcept {
  return true;
}

std::unique_ptr<InnerProduct<float>> make_onednn_inner_product(std::size_t batch, std::size_t inputs,
                                                               std::size_t outputs) {
  const SingleThreaded single; // how many threads a primitive takes is settled when it is made
  try {
    return std::make_unique<OnednnInnerProduct>(static_cast<std::int64_t>(batch), static_cast<std::int64_t>(inputs),
                                                static_cast<std::int64_t>(outputs));
  } catch (const dnnl::error& error) {
    throw Error("oneDNN cannot train a layer of " + std::to_string(inputs) + " inputs and " + std::to_string(outputs) +
                " outputs on batches of " + std::to_string(batch) + ": " + error.what());
  }
}

#else

bool onednn_training_available() noexcept {
  return false;
}

std::unique_ptr<InnerProduct<float>> make_onednn_inner_product(std::size_t, std::size_t, std::size_t) {
  return nullptr;
}

#endif

} // namespace lodestep::detail
