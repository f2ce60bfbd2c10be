using CloudPeer.TestKit;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

public sealed class DeliveryTokenTests
{
    private static readonly DeliveryToken Token = DeliveryToken.Generate(new SeededEntropy(1));

    [Fact]
    public void An_invitation_carries_a_token_or_none()
    {
        var without = new Invitation(default, [], default, "s", "n", [], []);

        foreach (var invitation in (Invitation[])[without, without with { Token = Token }])
        {
            var bytes = invitation.Encode();
            Assert.True(Invitation.TryDecode(bytes, out var decoded, out _));
            Assert.Equal(invitation.Token, decoded!.Token);
            Assert.Equal(bytes, decoded.Encode());
        }
    }

    [Fact]
    public void A_token_is_sent_by_itself_and_has_sixteen_bytes()
    {
        Assert.True(DeliveryToken.TryDecode(Token.Encode(), out var decoded, out _));
        Assert.Equal(Token, decoded);
        Assert.Equal(Token.Hash, DeliveryToken.HashOf(Token.Bytes));
        Assert.True(DeliveryToken.TryRead(Token.Bytes, out var read) && read.Equals(Token));
        Assert.False(DeliveryToken.TryRead(Token.Bytes[1..], out _));
        Assert.NotEqual(Token, DeliveryToken.Generate(new SeededEntropy(2)));
        Assert.DoesNotContain(Convert.ToHexStringLower(Token.Bytes), Token.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void F1_Tokens_survive_hostile_bytes() => Fuzz.Decode<DeliveryToken>(25, 20_000, [Token.Encode()], DeliveryToken.TryDecode, token => token.Encode());
}
