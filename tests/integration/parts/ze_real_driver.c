/* SPDX-License-Identifier: MIT */
/* ze_real_driver.c -- a driver for the real loader of Level Zero, which does nothing and says that
 * it went well.  It fills the loader's tables with the names that it exports, so that
 * references to them are bound to whoever exports the same ones before it; built with
 * -Bsymbolic they are its own.  tests/engines/gpu/real.sh builds it with the headers that
 * it fetched; without them there is nothing here. */
#ifdef HAS_ZE_HEADERS
#include <level_zero/ze_ddi.h>

static char memory[16], queue[16], context[16];

ze_result_t zeInit(ze_init_flags_t flags)
{
	(void)flags;
	return ZE_RESULT_SUCCESS;
}

ze_result_t zeContextCreate(ze_driver_handle_t driver, const ze_context_desc_t *desc,
			    ze_context_handle_t *out)
{
	(void)driver;
	(void)desc;
	*out = (ze_context_handle_t)context;
	return ZE_RESULT_SUCCESS;
}

ze_result_t zeMemAllocDevice(ze_context_handle_t c, const ze_device_mem_alloc_desc_t *desc,
			     size_t size, size_t align, ze_device_handle_t device, void **out)
{
	(void)c;
	(void)desc;
	(void)size;
	(void)align;
	(void)device;
	*out = memory;
	return ZE_RESULT_SUCCESS;
}

ze_result_t zeMemFree(ze_context_handle_t c, void *p)
{
	(void)c;
	return p == memory ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_INVALID_ARGUMENT;
}

ze_result_t zeCommandQueueCreate(ze_context_handle_t c, ze_device_handle_t device,
				 const ze_command_queue_desc_t *desc,
				 ze_command_queue_handle_t *out)
{
	(void)c;
	(void)device;
	(void)desc;
	*out = (ze_command_queue_handle_t)queue;
	return ZE_RESULT_SUCCESS;
}

ze_result_t zeCommandQueueExecuteCommandLists(ze_command_queue_handle_t q, uint32_t count,
					      ze_command_list_handle_t *lists,
					      ze_fence_handle_t fence)
{
	(void)count;
	(void)lists;
	(void)fence;
	return (void *)q == queue ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
}

ze_result_t zeCommandQueueSynchronize(ze_command_queue_handle_t q, uint64_t timeout)
{
	(void)timeout;
	return (void *)q == queue ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
}

#define TABLE(name, type) \
	ze_result_t zeGet##name##ProcAddrTable(ze_api_version_t version, type *t) \
	{ \
		(void)version; \
		(void)t; \
		FILL_##name return ZE_RESULT_SUCCESS; \
	}
#define FILL_Global t->pfnInit = zeInit;
#define FILL_Context t->pfnCreate = zeContextCreate;
#define FILL_Mem t->pfnAllocDevice = zeMemAllocDevice, t->pfnFree = zeMemFree;
#define FILL_CommandQueue \
	t->pfnCreate = zeCommandQueueCreate; \
	t->pfnExecuteCommandLists = zeCommandQueueExecuteCommandLists; \
	t->pfnSynchronize = zeCommandQueueSynchronize;
TABLE(Global, ze_global_dditable_t)
TABLE(Context, ze_context_dditable_t)
TABLE(Mem, ze_mem_dditable_t)
TABLE(CommandQueue, ze_command_queue_dditable_t)

#define EMPTY(name, type) \
	ze_result_t zeGet##name##ProcAddrTable(ze_api_version_t version, type *t) \
	{ \
		(void)version; \
		(void)t; \
		return ZE_RESULT_SUCCESS; \
	}
EMPTY(Driver, ze_driver_dditable_t)
EMPTY(Device, ze_device_dditable_t)
EMPTY(DeviceExp, ze_device_exp_dditable_t)
EMPTY(CommandList, ze_command_list_dditable_t)
EMPTY(Image, ze_image_dditable_t)
EMPTY(ImageExp, ze_image_exp_dditable_t)
EMPTY(Fence, ze_fence_dditable_t)
EMPTY(FabricVertexExp, ze_fabric_vertex_exp_dditable_t)
EMPTY(FabricEdgeExp, ze_fabric_edge_exp_dditable_t)
EMPTY(EventPool, ze_event_pool_dditable_t)
EMPTY(Event, ze_event_dditable_t)
EMPTY(EventExp, ze_event_exp_dditable_t)
EMPTY(Module, ze_module_dditable_t)
EMPTY(ModuleBuildLog, ze_module_build_log_dditable_t)
EMPTY(Kernel, ze_kernel_dditable_t)
EMPTY(KernelExp, ze_kernel_exp_dditable_t)
EMPTY(Sampler, ze_sampler_dditable_t)
EMPTY(PhysicalMem, ze_physical_mem_dditable_t)
EMPTY(VirtualMem, ze_virtual_mem_dditable_t)
#else
typedef int nothing;
#endif
