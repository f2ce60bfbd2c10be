using Tlfs.Core.Ids;

namespace Tlfs.Core.Radix;

/// <summary>Where pages of trees are kept.</summary>
public interface IRadixPages
{
    /// <summary>The bytes of a page. Throws what it likes when there is none; the exception reaches whoever asked the tree.</summary>
    ReadOnlyMemory<byte> Read(long page);
}

/// <summary>A durable reference to a stored tree.</summary>
/// <param name="Page">The root's page; meaningless without entries.</param>
/// <param name="Count">Entries in the tree.</param>
/// <param name="Hash">The tree's hash. Every page is checked against it, or against a page that was.</param>
public readonly record struct RadixRoot(long Page, int Count, Bytes32 Hash);

/// <summary>A stored page is not what its reference says: the storage is damaged.</summary>
public sealed class RadixPageException : Exception
{
    internal RadixPageException(string message)
        : base(message)
    {
    }
}
