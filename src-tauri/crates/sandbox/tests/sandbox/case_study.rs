use crate::client::World;

#[tokio::test]
async fn the_case_study_is_a_workspace_without_problems_that_names_only_known_secrets() {
    let world = World::new();
    let dir = tempfile::tempdir().unwrap();
    world.sandbox.write_workspace(dir.path()).unwrap();
    let workspace = signalbox_workspace::load(dir.path()).unwrap();
    assert!(workspace.problems.is_empty(), "{:?}", workspace.problems);
    assert!(!workspace.is_empty());
    let known = world.sandbox.secrets();
    for secret in workspace.secrets() {
        assert!(known.contains_key(secret.as_str()), "{secret}");
    }
}
