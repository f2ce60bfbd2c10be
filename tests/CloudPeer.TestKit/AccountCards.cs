using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.TestKit;

/// <summary>Makes account cards (docs/protocol/account.md §1).</summary>
public static class AccountCards
{
    /// <summary>A card of a new account with this device.</summary>
    /// <param name="entropy">Makes the account's authority.</param>
    /// <param name="device">The account's device.</param>
    /// <param name="kem">The account's key for sealed messages.</param>
    /// <param name="generation">That key's generation.</param>
    public static AccountCard Make(IEntropy entropy, SigningKey device, KemKey kem, uint generation = 1)
    {
        using var authority = SigningKey.Generate(entropy);
        var document = new DocId(authority.Public.Value);
        var genesis = Draft.First(document).SignStatement(authority, new Genesis(document, DocumentKind.Account, new PeerActor(device.Public)).Encode());
        var key = new Draft(document, 1, default, [genesis.Id], [genesis.Id], null).SignStatement(device, new AccountKey(generation, kem.Public, 0).Encode());
        var bytes = Canonical.Encode(writer => writer.Array<ReadOnlyMemory<byte>>([genesis.Bytes, key.Bytes], envelope => writer.Bytes(envelope.Span)));
        Assert.True(AccountCard.TryDecode(bytes, out var card, out _));
        return card;
    }
}
