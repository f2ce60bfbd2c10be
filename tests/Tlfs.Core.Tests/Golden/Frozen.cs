using CloudPeer.TestKit;

namespace Tlfs.Core.Tests.Golden;

/// <summary>The lines of frozen-bytes.txt: a name and the bytes of version 1.</summary>
internal static class Frozen
{
    public static IReadOnlyList<(string Name, byte[] Bytes)> Lines { get; } =
        [.. File.ReadAllLines(RepositoryRoot.PathOf("tests", "Tlfs.Core.Tests", "Golden", "frozen-bytes.txt"))
            .Select(line => line.Split(' ')).Select(line => (line[0], Convert.FromHexString(line[1])))];

    public static byte[] Bytes(string name) => Lines.Single(line => string.Equals(line.Name, name, StringComparison.Ordinal)).Bytes;

    public static IReadOnlyList<byte[]> Envelopes { get; } =
        [.. Lines.Where(line => line.Name.StartsWith("envelope-", StringComparison.Ordinal)).Select(line => line.Bytes)];
}
