using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class LooseEndsTests
{
    [Fact]
    public void No_file_promises_to_be_finished_later() => Expect.None(LooseEnds.Promises(Repository.Files.Where(Own.IsNot)));

    [Fact]
    public void No_file_names_a_path_of_one_machine() => Expect.None(LooseEnds.MachinePaths(Repository.Files.Where(Own.IsNot)));

    [Fact]
    public void A_skipped_test_says_why() => Expect.None(LooseEnds.SkippedWithoutReason(Repository.Code.Where(Own.IsNot)));

    [Theory]
    [InlineData("// TODO: later")]
    [InlineData("# FIXME")]
    [InlineData("throw new NotImplementedException();")]
    public void A_promise_is_found(string line) => Expect.One(LooseEnds.Promises([new("src/A/A.cs", line)]), "src/A/A.cs:1");

    [Fact]
    public void An_ordinary_word_is_no_promise() => Expect.None(LooseEnds.Promises([new("a.md", "the todoapp document, TODOS, a hack")]));

    [Theory]
    [InlineData("cd /work/checkout")]
    [InlineData("\"/tmp/replica\"")]
    [InlineData("see file:///home/ann/notes")]
    public void A_path_of_one_machine_is_found(string line) => Expect.One(LooseEnds.MachinePaths([new("a.sh", line)]), "a.sh:1");

    [Theory]
    [InlineData("tmpfs: [/tmp]")]
    [InlineData("https://example.org/work/today")]
    [InlineData("\"$folder/tmp/x\"")]
    public void Other_paths_are_fine(string line) => Expect.None(LooseEnds.MachinePaths([new("a.sh", line)]));

    [Theory]
    [InlineData("[Fact(Skip = \"\")] void A() { }")]
    [InlineData("[Fact(Skip = \"later\")] void A() { }")]
    [InlineData("void A() { Assert.SkipUnless(here, \"no\"); }")]
    public void A_skip_without_a_reason_is_found(string member) =>
        Expect.One(LooseEnds.SkippedWithoutReason([new("tests/A/A.cs", $"class T {{ {member} }}")]), "says why");

    [Fact]
    public void A_skip_with_a_reason_is_fine() =>
        Expect.None(LooseEnds.SkippedWithoutReason([new("tests/A/A.cs", "class T { [Fact(Skip = \"needs a file system with quotas\")] void A() { } }")]));
}
