using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Schema;

public sealed class WrongSourceTests
{
    public static TheoryData<string> Sources => [.. WrongSources.All.Select(wrong => wrong.Marked)];

    [Theory]
    [MemberData(nameof(Sources))]
    public void An_error_says_where_it_is_what_is_wrong_and_what_to_write(string marked)
    {
        var wrong = WrongSources.All.Single(each => string.Equals(each.Marked, marked, StringComparison.Ordinal));
        var offset = marked.IndexOf('¦', StringComparison.Ordinal);
        var source = marked.Remove(offset, 1);
        Assert.False(TlfsPackage.TryCompile(source, "todo.tlfs", out _, out var error));
        var line = source[..offset].Count(letter => letter == '\n') + 1;
        var column = offset == 0 ? 1 : offset - source.LastIndexOf('\n', offset - 1);
        Assert.Equal((line, column, "todo.tlfs"), (error.Line, error.Column, error.File));
        Assert.Equal((wrong.Text, wrong.Suggestion), (error.Text, error.Suggestion));
        var quoted = source.Split('\n')[line - 1].TrimEnd('\r');
        Assert.Equal(quoted.Length > 200 ? quoted[..200] : quoted, error.SourceLine);
        Assert.False(error.ToString().Contains('\n', StringComparison.Ordinal));
    }

    [Fact]
    public void The_corpus_is_large() => Assert.InRange(WrongSources.All.DistinctBy(wrong => wrong.Marked, StringComparer.Ordinal).Count(), 75, 1_000);
}
