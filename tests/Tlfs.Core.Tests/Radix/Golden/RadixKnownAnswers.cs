using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix.Golden;

/// <summary>The known answers of docs/protocol/encoding.md §8 and reconcile.md.</summary>
public class RadixKnownAnswers
{
    [Fact]
    public void Hashes_of_trees_are_frozen()
    {
        var tree = RadixTree.Empty;
        Assert.Equal("795e238f9b23be2a9600038d0842ece23954720438066327adfdc4fa76fcd8aa", tree.Hash.ToString());
        tree = tree.Set("ab"u8, "1"u8);
        Assert.Equal("c559755b36cb2e8b26c0aa4b98316de711e6c9bd6e57c29b91067057b459ed8d", tree.Hash.ToString());
        tree = tree.Set("a"u8, new byte[65]).Set("ac"u8, []);
        Assert.Equal("a16fa120336353880164390d813260bb372748e190eacf361a054307efc0bcd6", tree.Hash.ToString());
        for (byte next = 0; next < 17; next++) tree = tree.Set([next], [next]);
        Assert.Equal("958894f70bba3434363e3d6ed2733a30dfc2dc172aa34d3bc65bf63dc3baab21", tree.Hash.ToString());
    }

    [Fact]
    public void Short_forms_are_frozen()
    {
        var key = new ReconcileKey([.. Enumerable.Range(0, 16).Select(i => (byte)i)], ReconcileKey.WholeMask);
        Assert.Equal("19982f7dc1d2", Convert.ToHexStringLower(ReconcileKey.Join([key.Short(Id(1))])));
        var tree = RadixTree.Empty.Set(Id(1).ToArray(), []).Set(Id(2).ToArray(), []);
        var message = new ReconcileMessage(ReconcileKind.Hello)
        {
            Nonce = [.. Enumerable.Range(0, 16).Select(i => (byte)i)],
            Count = tree.Count,
            Hash = tree.Hash,
        }.Encode();
        Assert.Equal(
            "840050000102030405060708090a0b0c0d0e0f02582021e5da16c80dec712ba4dbc75e649dc73a9a1cf2bee7fe978f4b4f84ac39b1d0", Convert.ToHexStringLower(message));
        var responder = new ReconcileResponder(tree.Remove(Id(2).ToArray()), default);
        Assert.True(responder.TryAnswer(message, out var answer, out _));
        Assert.Equal(
            "8402015820c8628abd0d100a39c991672df6d3dd3468d827ae0cdcc8f308abb1beaf857ca281830141004619982f7dc1d2", Convert.ToHexStringLower(answer));
    }

    private static Bytes32 Id(byte fill) => new([.. Enumerable.Repeat(fill, Bytes32.Size)]);
}
