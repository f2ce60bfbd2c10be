using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class SizesTests
{
    [Fact]
    public void Files_and_methods_stay_within_their_limits() =>
        Expect.None(Sizes.TooLong(Repository.Code.Where(file => file.Area is "src" or "tests" or "bench" or "samples")));

    [Fact]
    public void A_file_at_the_limit_is_fine_and_one_line_more_is_found()
    {
        Expect.None(Sizes.TooLong([File(Comments(Sizes.FileLines))]));
        Expect.One(Sizes.TooLong([File(Comments(Sizes.FileLines + 1))]), "601 lines, the limit for a file is 600");
    }

    [Theory]
    [InlineData("class A\n{\n[Fact]\n[Row(1)]\nvoid B()\n{\n", "}\n}\n", 3)]
    [InlineData("class A { int B\n{\nget\n{\n", "}\n}\n}\n", 3)]
    [InlineData("void C()\n{\n", "}\n", 3)]
    [InlineData("class A { System.Action b = () =>\n{\n", "};\n}\n", 3)]
    [InlineData("var a = 1;\n{\n", "}\n", 3)]
    public void A_method_at_the_limit_is_fine_and_one_line_more_is_found(string before, string after, int ownLines)
    {
        Expect.None(Sizes.TooLong([File(before + Statements(Sizes.MethodLines - ownLines) + after)]));
        Assert.Contains(
            Sizes.TooLong([File(before + Statements(Sizes.MethodLines - ownLines + 1) + after)]),
            violation => violation.Contains("71 lines, the limit for a method is 70", StringComparison.Ordinal));
    }

    private static SourceText File(string text) => new("src/Tlfs.Core/Ids/A.cs", text);

    private static string Comments(int count) => string.Concat(Enumerable.Repeat("// a line\n", count));

    private static string Statements(int count) => string.Concat(Enumerable.Repeat("D();\n", count));
}
