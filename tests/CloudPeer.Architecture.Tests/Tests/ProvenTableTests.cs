using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class ProvenTableTests
{
    private static readonly SourceText[] Example = [new("tests/A/A.cs", "class ATests { [Fact] public void P1_b() { } [Theory, InlineData(1)] public void C(int i) { } public void Helper() { } }")];

    [Theory]
    [InlineData("docs/security/threat-model.md")]
    [InlineData("docs/operations/limits.md")]
    public void Every_row_names_tests_that_exist_or_says_why_not(string page) => Expect.None(ProvenTable.Unproven(Repository.Find(page), Repository.Code));

    [Theory]
    [InlineData("`P2_*`", "there is no test P2_*")]
    [InlineData("`ATests.P1_b`, `ATests.Helper`", "there is no test ATests.Helper")]
    [InlineData("`BTests.P1_b`", "there is no test BTests.P1_b")]
    [InlineData("soon", "the row names no test")]
    public void A_row_without_its_test_is_found(string cell, string told) => Expect.One(ProvenTable.Unproven(Page(cell), Example), told);

    [Theory]
    [InlineData("`P1_*`")]
    [InlineData("`ATests.P1_b`, `ATests.C`, `P1_b`")]
    [InlineData("later")]
    [InlineData("not promised")]
    public void A_row_with_its_test_is_fine(string cell) => Expect.None(ProvenTable.Unproven(Page(cell), Example));

    private static SourceText Page(string cell) => new("docs/security/threat-model.md", $"| attack | shown by |\n| --- | --- |\n| a `b` | {cell} |\n");
}
