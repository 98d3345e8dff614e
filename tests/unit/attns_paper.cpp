#include <lodestep/error.hpp>
#include <lodestep/train.hpp>
#include <lodestep/train_attns_paper.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace lodestep;

namespace {

/// The published recipe, scaled down to a second.
AttnsPaperOptions small() {
  AttnsPaperOptions options;
  options.trajectories = 20;
  options.hidden = 32;
  options.epochs = 60;
  options.batch = 64;
  options.standardised = true;
  return options;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_papers_recipe_gives_a_model_that_steps_and_corrects) {
  const Problem problem = make_problem("two_link_pendulum");
  const auto result = train_attns_paper(problem, small());
  const auto& corrector = std::get<CorrectorModel>(result.model.method);
  BOOST_TEST(corrector.approximator.description() == "rational MLP 4-32-4");
  BOOST_TEST((corrector.approximator.precision == Precision::f32));
  BOOST_TEST(result.epochs == 60u);
  BOOST_TEST(result.last_loss < 0.1 * result.first_loss);
  BOOST_TEST(result.model.error.step_rms < 0.3 * result.model.error.base_step_rms);
  EvaluateOptions evaluation;
  evaluation.trajectories = 20;
  const auto measured = evaluate(result.model, problem, evaluation);
  BOOST_TEST(measured.mse_mean < 0.2 * measured.base_mse_mean);
  BOOST_TEST(result.model.provenance.recipe == "paper, standardised");

  const auto again = train_attns_paper(problem, small());
  BOOST_CHECK(serialize_model(again.model) == serialize_model(result.model));
}

// Raw, the network is fed with S, not S dt (eq. 10): the spec says so by its input scale. And it still learns the
// chain, whose correction is linear.
BOOST_AUTO_TEST_CASE(raw_as_published_it_is_fed_with_the_increment_over_dt) {
  auto options = small();
  options.standardised = false;
  options.epochs = 150;
  const auto result = train_attns_paper(make_problem("spring_mass:d=2"), options);
  const auto& corrector = std::get<CorrectorModel>(result.model.method);
  for (double scale : corrector.approximator.input_scale) BOOST_TEST(scale == corrector.dt);
  for (double scale : corrector.approximator.output_scale) BOOST_TEST(scale == 1.0);
  BOOST_TEST(result.last_loss < 0.01 * result.first_loss);
}

BOOST_AUTO_TEST_CASE(the_state_and_the_multiplicative_form_are_trained_too) {
  auto options = small();
  options.input = CorrectorInput::state;
  const Problem problem = make_problem("two_link_pendulum");
  const auto neurvec = train_attns_paper(problem, options);
  BOOST_TEST(neurvec.model.error.step_rms < 0.3 * neurvec.model.error.base_step_rms);
  options = small();
  options.form = CorrectorForm::multiplicative;
  options.base = "heun"; // a correction large enough for a factor
  const auto factor = train_attns_paper(problem, options);
  BOOST_TEST(factor.model.error.step_rms < factor.model.error.base_step_rms);
}

BOOST_AUTO_TEST_CASE(training_is_stopped_by_progress_and_bad_options_are_refused) {
  auto options = small();
  const Problem problem = make_problem("two_link_pendulum");
  options.progress = [](double fraction, const std::string&) { return fraction < 0.5; };
  const auto stopped = train_attns_paper(problem, options);
  BOOST_TEST(stopped.interrupted);
  BOOST_TEST(stopped.epochs < options.epochs);
  options = small();
  options.epochs = 0;
  BOOST_CHECK_THROW(train_attns_paper(problem, options), InvalidArgument);
  options = small();
  options.layers = 1;
  BOOST_CHECK_THROW(train_attns_paper(problem, options), InvalidArgument);
  options = small();
  options.input = CorrectorInput::stages;
  BOOST_CHECK_THROW(train_attns_paper(problem, options), InvalidArgument);
  options = small();
  options.learning_rate = 1e30; // off it goes
  BOOST_CHECK_THROW(train_attns_paper(problem, options), InvalidData);
}
