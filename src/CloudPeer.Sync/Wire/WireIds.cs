using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Wire;

/// <summary>Ids and bytes between protobuf and the core.</summary>
public static class WireIds
{
    /// <summary>An id as protobuf bytes.</summary>
    public static ByteString ToWire<T>(this T id)
        where T : struct, IId<T> => UnsafeByteOperations.UnsafeWrap(id.Value.ToArray());

    /// <summary>Bytes as protobuf bytes, without a copy; the memory must not change afterwards.</summary>
    public static ByteString ToWire(this ReadOnlyMemory<byte> bytes) => UnsafeByteOperations.UnsafeWrap(bytes);

    /// <summary>Reads an id; false for any other number of bytes than 32.</summary>
    public static bool TryRead<T>(ByteString bytes, out T id)
        where T : struct, IId<T>
    {
        id = default;
        if (bytes.Length != Bytes32.Size) return false;
        id = Id.From<T>(bytes.Span);
        return true;
    }

    /// <summary>Reads an id that must be there.</summary>
    /// <param name="bytes">32 bytes.</param>
    /// <param name="what">What the field is called, for the message.</param>
    /// <exception cref="TlfsException"><see cref="Reason.Malformed"/>.</exception>
    public static T Read<T>(ByteString bytes, string what)
        where T : struct, IId<T> =>
        TryRead<T>(bytes, out var id) ? id : throw new TlfsException(Reason.Malformed, $"{what} has {Bytes32.Size} bytes");

    /// <summary>Reads 32 bytes that must be there.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.Malformed"/>.</exception>
    public static Bytes32 ReadBytes32(ByteString bytes, string what) =>
        bytes.Length == Bytes32.Size ? new(bytes.Span) : throw new TlfsException(Reason.Malformed, $"{what} has {Bytes32.Size} bytes");
}
