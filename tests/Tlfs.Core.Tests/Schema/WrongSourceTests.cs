using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Schema;

public sealed class WrongSourceTests
{
    public static TheoryData<string> Sources => [.. WrongSources.All];

    [Theory]
    [MemberData(nameof(Sources))]
    public void An_error_says_where_it_is(string marked)
    {
        var offset = marked.IndexOf('¦', StringComparison.Ordinal);
        var source = marked.Remove(offset, 1);
        Assert.False(TlfsPackage.TryCompile(source, "todo.tlfs", out _, out var error));
        TestContext.Current.TestOutputHelper?.WriteLine(error.ToString());
        var line = source[..offset].Count(letter => letter == '\n') + 1;
        var column = offset - source.LastIndexOf('\n', Math.Max(0, offset - 1));
        Assert.Equal(($"{line}:{(offset == 0 ? 1 : column)}", "todo.tlfs"), ($"{error.Line}:{error.Column}", error.File));
        Assert.Equal(source.Split('\n')[line - 1], error.SourceLine);
        Assert.False(error.ToString().Contains('\n', StringComparison.Ordinal));
    }
}
