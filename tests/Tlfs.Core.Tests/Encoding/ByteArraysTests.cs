using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using CsCheck;
using Tlfs.Core.Encoding;
using Xunit;

namespace Tlfs.Core.Tests.Encoding;

public sealed class ByteArraysTests
{
    [Fact]
    public void Concatenated_pieces_come_one_after_the_other() =>
        Gen.Byte.Array[0, 20].Array[2, 5].Sample(pieces =>
        {
            byte[] At(int i) => i < pieces.Length ? pieces[i] : [];
            Assert.Equal(pieces.SelectMany(piece => piece), ByteArrays.Concat(At(0), At(1), At(2), At(3), At(4)));
        });

    // What HPKE puts together is a secret: a list of bytes leaves a copy of it wherever it was before it grew.
    [Fact]
    public void The_core_never_builds_an_array_in_a_list_of_bytes()
    {
        using var file = File.OpenRead(typeof(ByteArrays).Assembly.Location);
        using var assembly = new PEReader(file);
        var metadata = assembly.GetMetadataReader();
        Assert.True(Lists(metadata, _ => true).Any(), "no list was found at all");
        Assert.False(Lists(metadata, element => element == SignatureTypeCode.Byte).Any(), "a List<byte>: use ByteArrays.Concat");
    }

    // The lists of which members are used whose elements' type is, or begins, with a code (ECMA-335 II.23.2.12).
    private static IEnumerable<MemberReferenceHandle> Lists(MetadataReader metadata, Predicate<SignatureTypeCode> isMeant) =>
        metadata.MemberReferences.Where(handle =>
        {
            var parent = metadata.GetMemberReference(handle).Parent;
            if (parent.Kind != HandleKind.TypeSpecification) return false;
            var signature = metadata.GetBlobReader(metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
            if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance || signature.ReadSignatureTypeCode() != SignatureTypeCode.TypeHandle) return false;
            var generic = signature.ReadTypeHandle();
            return generic.Kind == HandleKind.TypeReference
                && metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)generic).Name) is "List`1"
                && signature.ReadCompressedInteger() == 1
                && isMeant(signature.ReadSignatureTypeCode());
        });
}
