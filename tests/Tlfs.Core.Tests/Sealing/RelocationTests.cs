using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>Where documents went (docs/protocol/account.md §5).</summary>
public sealed class RelocationTests
{
    public static Relocation Example { get; } = new(new(new(Filled(1)), "http://a"), [new(Filled(2))]);

    [Fact]
    public void The_known_answer_is_that_of_the_page()
    {
        var text = $"835820{Repeat("01")}68687474703a2f2f61815820{Repeat("02")}";
        Assert.Equal(text, Convert.ToHexStringLower(Example.Encode()));
        Assert.True(Relocation.TryDecode(Convert.FromHexString(text), out var decoded, out _));
        Assert.Equal((Example.Server, Example.Documents[0]), (decoded.Server, Assert.Single(decoded.Documents)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(Relocation.MaxDocuments, true)]
    [InlineData(Relocation.MaxDocuments + 1, false)]
    public void One_document_to_the_limit_are_taken(int count, bool accepted) => Assert.Equal(accepted, IsTaken(Numbered(count)));

    [Fact]
    public void Documents_that_do_not_ascend_are_refused()
    {
        var two = Numbered(2);
        Assert.False(IsTaken([two[1], two[0]]));
        Assert.False(IsTaken([two[0], two[0]]));
    }

    private static bool IsTaken(DocId[] documents) => Relocation.TryDecode(new Relocation(Example.Server, documents).Encode(), out _, out _);

    private static DocId[] Numbered(int count) => [.. Enumerable.Range(0, count).Select(i => new DocId(Filled((byte)(i & 0xFF), (byte)(i >> 8)))).Order()];

    private static Bytes32 Filled(params byte[] pattern) => new([.. Enumerable.Range(0, Bytes32.Size).Select(i => pattern[i % pattern.Length])]);

    private static string Repeat(string hex) => string.Concat(Enumerable.Repeat(hex, Bytes32.Size));
}
