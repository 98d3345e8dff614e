#include "models.hpp"
#include "sundials_host.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <map>
#include <sstream>
#include <string>

using namespace lodestep;
using namespace lodestep::test;

namespace {

int oscillator(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  N_VGetArrayPointer(ydot)[0] = u[1];
  N_VGetArrayPointer(ydot)[1] = -u[0];
  return 0;
}

std::string printed(LodestepStepper stepper, SUNOutputFormat format) {
  std::FILE* file = std::tmpfile();
  BOOST_REQUIRE(file);
  BOOST_TEST(LodestepStepper_PrintAllStats(stepper, file, format) == ARK_SUCCESS);
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

} // namespace

BOOST_AUTO_TEST_CASE(text_and_csv_give_the_same_numbers) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillator, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); });
  LODESTEP_ARK(MRIStep, SetStopTime)(memory, 0.95);
  sunrealtype t = 0.0;
  BOOST_TEST(LODESTEP_ARK(MRIStep, Evolve)(memory, 2.0, y, &t, ARK_NORMAL) == ARK_TSTOP_RETURN);

  const std::map<std::string, long int> expected = {
      {"Learned stepper steps", 10}, {"Learned cell steps", 9},
      {"Fallbacks step size", 1},    {"Fallbacks domain", 0},
      {"Fallbacks correction", 0},   {"Fallbacks forcing", 0},
      {"Fallbacks RHS failure", 0},  {"Failures", 0},
      {"Network evals", 9},          {"RHS fn evals", stepper.stats().rhs_evals}};

  std::map<std::string, long int> csv;
  std::istringstream row(printed(stepper, SUN_OUTPUTFORMAT_CSV));
  std::string key, value;
  while (std::getline(row, key, ',') && std::getline(row, value, ',')) csv[key] = std::stol(value);
  BOOST_TEST((csv == expected));

  std::map<std::string, long int> table;
  std::istringstream lines(printed(stepper, SUN_OUTPUTFORMAT_TABLE));
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    BOOST_REQUIRE(equals != std::string::npos);
    key = line.substr(0, equals);
    key.erase(key.find_last_not_of(' ') + 1);
    if (const auto comma = key.find(','); comma != std::string::npos) key.erase(comma, 1);
    table[key] = std::stol(line.substr(equals + 1));
  }
  BOOST_TEST((table == expected));

  BOOST_TEST(LodestepStepper_ResetStats(stepper) == ARK_SUCCESS);
  BOOST_TEST(stepper.stats().steps == 0);
  BOOST_TEST(stepper.stats().rhs_evals == 0);
}
