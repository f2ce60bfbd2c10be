using CloudPeer.TestKit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>A file of test vectors in this folder: a line each, words separated by spaces, <c>#</c> before a remark, <c>-</c> for no bytes.</summary>
internal static class VectorFile
{
    public static IReadOnlyList<string[]> Lines(string name) =>
        [.. File.ReadAllLines(RepositoryRoot.PathOf("tests", "Tlfs.Core.Tests", "Vectors", name))
            .Where(line => !line.StartsWith('#')).Select(line => line.Split(' '))];

    public static byte[] Bytes(string word) => word is "-" ? [] : Convert.FromHexString(word);
}
