#pragma once

#include "report/study.hpp"

namespace lodestep::report {

StudyResult study_attns_data(const StudyOptions& options);
StudyResult study_attns_fig3(const StudyOptions& options);
StudyResult study_attns_fig4(const StudyOptions& options);
StudyResult study_attns_fig5(const StudyOptions& options);
StudyResult study_attns_table1(const StudyOptions& options);
StudyResult study_attns_table2(const StudyOptions& options);
StudyResult study_attns_table6(const StudyOptions& options);

StudyResult study_rknn_table1(const StudyOptions& options);
StudyResult study_rknn_fig2(const StudyOptions& options);
StudyResult study_rknn_fig3(const StudyOptions& options);
StudyResult study_rknn_fig4(const StudyOptions& options);
StudyResult study_rknn_fig5(const StudyOptions& options);
StudyResult study_rknn_fig7(const StudyOptions& options);
StudyResult study_rknn_fig9(const StudyOptions& options);
StudyResult study_rknn_sm5(const StudyOptions& options);

StudyResult study_hits_fig2(const StudyOptions& options);
StudyResult study_hits_noise(const StudyOptions& options);
StudyResult study_hits_table1(const StudyOptions& options);
StudyResult study_hits_times(const StudyOptions& options);

} // namespace lodestep::report
