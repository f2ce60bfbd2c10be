using System.Buffers.Text;
using Tlfs.Core.Ids;
using Xunit;

namespace Tlfs.Cli.Tests.Keys;

/// <summary>The search itself works: a planted key is found in every form and at every place.</summary>
public sealed class SecretScanTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)(((i * 37) + 251) & 0xFF))];

    [Fact]
    public void A_planted_key_is_found_in_every_form()
    {
        var scan = new SecretScan();
        scan.Add("the key", Secret);
        for (var before = 0; before < 7; before++)
        {
            for (var after = 0; after < 3; after++)
            {
                byte[] planted = [.. Enumerable.Repeat((byte)0xA5, before), .. Secret, .. Enumerable.Repeat((byte)0x5A, after)];
                Assert.Equal(["the key as bytes"], scan.FindIn(planted));
                foreach (var (form, text) in Forms(planted))
                {
                    Assert.Equal([$"the key as {form}"], scan.FindIn($"log: {text}."));
                    Assert.Empty(scan.FindIn($"log: {text[..(text.Length / 2)]} {text[(text.Length / 2)..]}"));
                }
            }
        }
    }

    [Fact]
    public void Another_key_is_not_found()
    {
        var scan = new SecretScan();
        scan.Add("the key", Secret);
        byte[] other = [.. Secret[..31], 0];
        Assert.Empty(scan.FindIn(other));
        foreach (var (_, text) in Forms(other)) Assert.Empty(scan.FindIn(text));
    }

    [Fact]
    public void A_planted_token_is_found_and_an_id_is_not()
    {
        var peer = new PeerId(new(Secret));
        var scan = new SecretScan();
        scan.AddTokensOf(peer);
        byte[] token = [2, 0, 6, 1, 2, 3, 4, 5, 6, .. Secret, .. Enumerable.Repeat((byte)0x77, 32)];
        Assert.Equal([$"a token of {peer}"], scan.FindIn($"authorization: Bearer {Base64Url.EncodeToString(token)}"));
        Assert.Empty(scan.FindIn($"{peer} {Base64Url.EncodeToString(Secret)} {Convert.ToBase64String(Secret)}"));
    }

    private static IEnumerable<(string Form, string Text)> Forms(byte[] bytes)
    {
        yield return ("hex", Convert.ToHexStringLower(bytes));
        yield return ("HEX", Convert.ToHexString(bytes));
        yield return ("base64", Convert.ToBase64String(bytes));
        yield return ("base64url", Base64Url.EncodeToString(bytes));
        yield return ("base32", Base32.Encode(bytes));
        yield return ("BASE32", Base32.Encode(bytes).ToUpperInvariant());
    }
}
