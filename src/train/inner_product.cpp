#include "train/inner_product.hpp"

#include <lodestep/error.hpp>

#include <Eigen/Core>

#include <type_traits>

namespace lodestep::detail {

namespace {

template <class T> class EigenInnerProduct final : public InnerProduct<T> {
public:
  EigenInnerProduct(std::size_t batch, std::size_t inputs, std::size_t outputs)
      : batch_(static_cast<Eigen::Index>(batch)), inputs_(static_cast<Eigen::Index>(inputs)),
        outputs_(static_cast<Eigen::Index>(outputs)) {}

  void forward(const T* x, const T* weights, const T* bias, T* y) override {
    Map out(y, batch_, outputs_);
    out.noalias() = In(x, batch_, inputs_) * In(weights, outputs_, inputs_).transpose();
    out.rowwise() += Row(bias, outputs_);
  }
  void backward_data(const T* dy, const T* weights, T* dx) override {
    Map(dx, batch_, inputs_).noalias() = In(dy, batch_, outputs_) * In(weights, outputs_, inputs_);
  }
  void backward_weights(const T* x, const T* dy, T* d_weights, T* d_bias) override {
    Map(d_weights, outputs_, inputs_).noalias() = In(dy, batch_, outputs_).transpose() * In(x, batch_, inputs_);
    Eigen::Map<Eigen::Matrix<T, 1, Eigen::Dynamic>>(d_bias, outputs_) = In(dy, batch_, outputs_).colwise().sum();
  }

private:
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Map = Eigen::Map<Matrix>;
  using In = Eigen::Map<const Matrix>;
  using Row = Eigen::Map<const Eigen::Matrix<T, 1, Eigen::Dynamic>>;
  Eigen::Index batch_;
  Eigen::Index inputs_;
  Eigen::Index outputs_;
};

} // namespace

template <class T>
std::unique_ptr<InnerProduct<T>> make_inner_product(TrainingBackend backend, std::size_t batch, std::size_t inputs,
                                                    std::size_t outputs) {
  if constexpr (std::is_same_v<T, float>) {
    if (backend != TrainingBackend::eigen) {
      if (auto product = make_onednn_inner_product(batch, inputs, outputs)) return product;
    }
  }
  if (backend == TrainingBackend::onednn) {
    throw InvalidArgument(std::is_same_v<T, float>
                              ? "training backend onednn was not built in: configure with -DLODESTEP_ONEDNN=ON"
                              : "training backend onednn trains in f32 only");
  }
  return std::make_unique<EigenInnerProduct<T>>(batch, inputs, outputs);
}

template LODESTEP_TRAIN_EXPORT std::unique_ptr<InnerProduct<float>>
    make_inner_product<float>(TrainingBackend, std::size_t, std::size_t, std::size_t);
template LODESTEP_TRAIN_EXPORT std::unique_ptr<InnerProduct<double>>
    make_inner_product<double>(TrainingBackend, std::size_t, std::size_t, std::size_t);

} // namespace lodestep::detail
