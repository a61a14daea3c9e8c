//! The JUnit file of the report.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::results::Seen;

/// Returns the results of all programs as JUnit's XML.
pub(super) fn of(all: &[Seen]) -> String {
    let mut report = Report::new("features");
    for seen in all {
        let mut suite = TestSuite::new(format!("{} {}", seen.folder, seen.level));
        for case in &seen.cases {
            let status = match &case.failure {
                None => TestCaseStatus::success(),
                Some((why, again)) => {
                    let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    failed.set_message(why.as_str()).set_description(format!("rerun: {again}"));
                    failed
                }
            };
            let mut test = TestCase::new(format!("{} (line {})", case.name, case.line), status);
            test.set_classname(case.feature.as_str()).set_time(Duration::from_secs_f64(case.seconds));
            suite.add_test_case(test);
        }
        for wrong in &seen.wrong {
            let mut failed = TestCaseStatus::non_success(NonSuccessKind::Error);
            failed.set_message(wrong.as_str());
            suite.add_test_case(TestCase::new("the features as a whole", failed));
        }
        report.add_test_suite(suite);
    }
    report.to_string().expect("XML")
}
