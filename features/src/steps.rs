//! The steps that several folders share.

/// Defines shared steps for the type `World` of the file: those with the given names, such as `features::steps!(response invalid);`.
///
/// | Name | Step |
/// |---|---|
/// | `response` | then the response is 409 PRODUCT_ARCHIVED; without a code, it is no problem |
/// | `invalid` | then the request is invalid at lines\[0\].quantity and total |
/// | `dead_letters` | then there are 2 dead letters |
/// | `discard` | when an operator discards the dead letter |
/// | `again` | when the same event is published again |
/// | `settle` | when all events are processed |
#[macro_export]
macro_rules! steps {
    ($($name:ident)+) => {
        $($crate::steps! { @ $name })+
    };
    (@ response) => {
        #[cucumber::then(regex = r"^the response is (\d+)(?: ([A-Z_]+))?$")]
        fn response(world: &mut World, status: u16, code: String) {
            world.mart.answer().expect(status, &code);
        }
    };
    (@ invalid) => {
        #[cucumber::then(regex = r"^the request is invalid at (.+)$")]
        fn invalid(world: &mut World, fields: String) {
            let fields: Vec<&str> = fields.split(", ").flat_map(|part| part.split(" and ")).collect();
            world.mart.answer().expect_violations(&fields);
        }
    };
    (@ dead_letters) => {
        #[cucumber::then(regex = r"^there (?:is|are) (\d+) dead letters?$")]
        async fn dead_letters(world: &mut World, count: usize) {
            assert_eq!(world.mart.dead().await, count, "{:?}", world.mart);
        }
    };
    (@ discard) => {
        #[cucumber::when("an operator discards the dead letter")]
        async fn discard(world: &mut World) {
            world.mart.discard().await;
        }
    };
    (@ again) => {
        #[cucumber::when("the same event is published again")]
        async fn again(world: &mut World) {
            world.mart.publish_again(0).await;
        }
    };
    (@ settle) => {
        #[cucumber::when("all events are processed")]
        async fn settle(world: &mut World) {
            world.mart.settle().await;
        }
    };
}
