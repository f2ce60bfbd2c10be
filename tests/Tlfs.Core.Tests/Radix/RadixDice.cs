using CloudPeer.TestKit;

namespace Tlfs.Core.Tests.Radix;

/// <summary>Random keys of several shapes: dense ones that share much, prefixes of each other, the empty key, ids.</summary>
internal sealed class RadixDice(ulong seed)
{
    private readonly SeededEntropy _entropy = new(seed);

    /// <summary>Which shape this dice makes.</summary>
    private readonly int _shape = (int)(seed % 4);

    public int Below(int limit) => _entropy.Below(limit);

    public byte[] Key() => _shape switch
    {
        0 => Letters(6, 3),
        1 => Letters(3, 256),
        2 => [.. "stem"u8, .. Letters(2, 40), .. Tail()],
        _ => _entropy.Below(4) == 0 ? Letters(40, 2) : Letters(2, 24),
    };

    public byte[] Value()
    {
        var value = new byte[_entropy.Below(20) == 0 ? _entropy.Below(200) : _entropy.Below(6)];
        _entropy.Fill(value);
        return value;
    }

    public byte[] Id()
    {
        var id = new byte[32];
        _entropy.Fill(id);
        return id;
    }

    private byte[] Tail() => _entropy.Below(3) switch { 0 => [], 1 => "tail"u8.ToArray(), _ => "tail-longer"u8.ToArray() };

    private byte[] Letters(int longest, int letters)
    {
        var key = new byte[_entropy.Below(longest + 1)];
        for (var i = 0; i < key.Length; i++) key[i] = (byte)(_entropy.Below(letters) * (letters == 40 ? 6 : 1));
        return key;
    }
}
