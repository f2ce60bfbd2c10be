using System.Buffers.Text;
using System.Text;
using Tlfs.Core.Ids;

namespace Tlfs.Cli.Tests.Keys;

/// <summary>
/// Looks for secrets in bytes: as they are, in hexadecimal of both cases, in base64 and base64url, and in base32. Where a text form depends on what stands before
/// the secret, all ways to lie in it are looked for.
/// </summary>
public sealed class SecretScan
{
    private readonly List<(string Name, byte[] Needle)> _needles = [];
    private readonly List<PeerId> _peers = [];

    /// <summary>What is looked for, by name.</summary>
    public IReadOnlyCollection<string> Names => [.. _needles.Select(needle => needle.Name.Split(" as ")[0]).Distinct(StringComparer.Ordinal)];

    /// <summary>Looks for a secret of bytes.</summary>
    public void Add(string name, ReadOnlySpan<byte> secret)
    {
        if (secret.Length < 16) throw new ArgumentException("too short to mean anything where it is found", nameof(secret));
        _needles.Add(($"{name} as bytes", secret.ToArray()));
        Add($"{name} as hex", Convert.ToHexStringLower(secret));
        Add($"{name} as HEX", Convert.ToHexString(secret));
        for (var before = 0; before < 3; before++)
        {
            var text = Inside(Convert.ToBase64String([.. new byte[before], .. secret]).TrimEnd('='), before, secret.Length, 6);
            Add($"{name} as base64", text);
            Add($"{name} as base64url", text.Replace('+', '-').Replace('/', '_'));
        }

        for (var before = 0; before < 5; before++)
        {
            var text = Inside(Base32.Encode([.. new byte[before], .. secret]), before, secret.Length, 5);
            Add($"{name} as base32", text);
            Add($"{name} as BASE32", text.ToUpperInvariant());
        }
    }

    /// <summary>Looks for a secret text.</summary>
    public void Add(string name, string secret) => _needles.Add((name, Encoding.UTF8.GetBytes(secret)));

    /// <summary>Looks for any session token of a device, expired or not (docs/protocol/session.md): 73 bytes with the device's id at byte 9.</summary>
    public void AddTokensOf(PeerId peer) => _peers.Add(peer);

    /// <summary>What is in the bytes, each name once.</summary>
    public IReadOnlyList<string> FindIn(byte[] bytes) =>
    [
        .. _needles.Where(needle => bytes.AsSpan().IndexOf(needle.Needle) >= 0).Select(needle => needle.Name).Distinct(StringComparer.Ordinal),
        .. _peers.Where(peer => HoldsToken(bytes, peer)).Select(peer => $"a token of {peer}"),
    ];

    /// <summary>The same for text.</summary>
    public IReadOnlyList<string> FindIn(string text) => FindIn(Encoding.UTF8.GetBytes(text));

    // The letters that only the secret decides, not the bytes before or after it.
    private static string Inside(string text, int before, int length, int bitsPerLetter)
    {
        var first = ((before * 8) + bitsPerLetter - 1) / bitsPerLetter;
        var end = (before + length) * 8 / bitsPerLetter;
        return text[first..end];
    }

    // A token's bytes 9 to 40 are its peer, so bytes 12 to 38 are whole letters of its base64url text, which is 98 letters long.
    private static bool HoldsToken(byte[] bytes, PeerId peer)
    {
        var letters = Encoding.ASCII.GetBytes(Base64Url.EncodeToString(peer.Value.ToArray().AsSpan(0, 30)));
        for (var at = bytes.AsSpan().IndexOf(letters); at >= 0;)
        {
            // The id alone, as base64, is no secret: a token has twelve letters before it and as many after it as a MAC takes.
            var start = at - 12;
            if (start >= 0 && start + 98 <= bytes.Length && bytes.AsSpan(start, 98).IndexOfAnyExcept(Alphabet) < 0 && bytes[start] == (byte)'A') return true;
            var next = bytes.AsSpan(at + 1).IndexOf(letters);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return false;
    }

    private static readonly System.Buffers.SearchValues<byte> Alphabet =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);
}
