using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Core;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Sync.Tests.Wire;

/// <summary>The page that lists all reasons is the contract; the code is compared with it in both directions.</summary>
public sealed class ErrorsPageTests
{
    private static readonly Dictionary<string, string[]> Rows = File.ReadLines(RepositoryRoot.PathOf("docs", "protocol", "errors.md"))
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries))
        .ToDictionary(cells => cells[0].Trim('`'), cells => cells[1..], StringComparer.Ordinal);

    [Fact]
    public void The_page_lists_exactly_the_reasons_of_the_code_in_their_order() =>
        Assert.Equal(string.Join(' ', Enum.GetValues<Reason>().Select(reason => reason.ToKebab())), string.Join(' ', Rows.Keys));

    [Fact]
    public void The_pages_status_is_the_mappers()
    {
        foreach (var reason in Enum.GetValues<Reason>())
            Assert.Equal($"{reason.ToKebab()} {Text(GrpcStatuses.Of(reason))}", $"{reason.ToKebab()} {Rows[reason.ToKebab()][0]}");
    }

    [Fact]
    public void Every_row_says_what_it_means_and_what_to_do() =>
        Assert.All(Rows.Values, cells => Assert.True(cells is [_, { Length: > 10 }, { Length: > 3 }]));

    private static string Text(StatusCode? code) => code is null ? "-"
        : string.Concat(code.ToString()!.Select((letter, at) => at > 0 && char.IsUpper(letter) ? "_" + letter : char.ToUpperInvariant(letter).ToString()));
}
